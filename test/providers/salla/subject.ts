/** Salla in its three modes, for the conformance suite. */
import { request } from 'undici';
import type { Simulator } from '../../../src/simulator/kit.js';
import { startSallaSimulator } from '../../../src/simulator/salla/index.js';
import { systemTime } from '../../../src/time.js';
import type { Place, Subject, Told } from '../conformance/subject.js';

/** Sentences and fields by which the table tells one meaning of a status from another ("Responses", "401 Cases"). */
const MEANINGS: Record<string, object> = {
  missing_scope: {
    message: 'The access token should have access to one of those scopes: orders.read_write',
  },
  invalid_access_token: { message: 'The access token is invalid' },
  deleted_user: { message: 'The User is not exists.' },
  inactive_user: { message: 'حسابك غير مفعل' },
  duplicate_reference: {
    message: 'alert.invalid_fields',
    fields: {
      external_order_id: ['The external order id has already been taken.'],
      external_id: ['The external id has already been taken.'],
    },
  },
  same_status: { message: 'The order already has this status' },
};

function refusal(status: number, code: string | undefined): Told {
  if (code === 'invalid_grant') {
    return { status, body: { error: code, error_description: 'The refresh token is not usable' } };
  }
  const said = MEANINGS[code ?? ''] ?? { message: 'Not as it should be' };
  return { status, body: { status, success: false, error: { code: 'error', ...said } } };
}

const complaint = (step: string): Subject['complaint'] => ({
  step,
  told: {
    status: 422,
    body: {
      status: 422,
      success: false,
      error: {
        code: 'error',
        message: 'alert.invalid_fields',
        fields: { 'receiver.phone': ['رقم الجوال غير صحيح', 'رقم الجوال مطلوب'] },
      },
    },
  },
  said: 'رقم الجوال غير صحيح',
  fields: { 'receiver.phone': ['رقم الجوال غير صحيح', 'رقم الجوال مطلوب'] },
});

const start = (): Promise<Simulator> =>
  startSallaSimulator({
    clientId: 'client-of-the-suite',
    clientSecret: 'secret-of-the-suite',
    accessToken: 'access-of-the-suite',
    refreshToken: 'refresh-of-the-suite',
    requestsPerMinute: 1_000_000,
    errorBlock: false,
    stepMs: 0,
    time: systemTime,
  });

/** An order that a shopper has placed in the store; its id. */
async function shopped({ simulator }: Place): Promise<number> {
  const answer = await request(`${simulator.url}/_control/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  // What this control answers is declared in the simulator's controls.ts.
  const { orders } = (await answer.body.json()) as { orders: { id: number }[] };
  if (orders[0] === undefined) throw new Error('the simulator placed no order');
  return orders[0].id;
}

const orderBody: Subject['body'] = ({ account, nth }) => ({
  account,
  reference: `order-${nth}`,
  currency: 'SAR',
  customer: {
    firstName: 'نورة',
    lastName: 'السالم',
    email: `noura${nth}@example.com`,
    phone: `+966 50 ${1_000_000 + nth}`,
  },
  shippingAddress: { line1: 'شارع التحلية 5', city: 'الرياض', postCode: '12345', country: 'SA' },
  items: [{ reference: 'line-1', sku: 'MUG-1', name: 'Mug', quantity: 2, unitPrice: '49.9' }],
  options: { deliveryMethod: 'shipping', courierId: 665_151_403 },
});

const intoStore: Subject = {
  id: 'salla',
  mode: 'A, /orders/external',
  start,
  verbs: {
    order: 'submit',
    cancellable: 'get',
    cancel: 'status',
    update: 'update',
    get: 'get',
    look: 'list',
    'look-recent': 'list',
    list: 'list',
    probe: 'list',
  },
  refusal,
  body: orderBody,
  complaint: complaint('order'),
  update: { shippingAddress: { line1: 'شارع العليا 9', city: 'الرياض', country: 'SA' } },
};

const correlated: Subject = {
  ...intoStore,
  mode: 'A, /orders',
  only: ['order', 'look', 'look-recent'],
  entry: (entry) => ({ ...entry, config: { ...entry.config, orderPath: '/orders' } }),
};

const shipments: Subject = {
  id: 'salla',
  mode: 'B',
  start,
  entry: (entry) => ({ ...entry, config: { ...entry.config, mode: 'B' } }),
  verbs: {
    shipment: 'ship',
    cancel: 'cancelShipment',
    get: 'shipment',
    look: 'shipments',
    list: 'shipments',
    probe: 'shipments',
  },
  refusal,
  body: async (scene) => ({
    account: scene.account,
    reference: `parcel-${scene.nth}`,
    options: {
      orderId: await shopped(scene),
      courierId: 1_927_161_457,
      packages: [{ name: 'Mug', sku: 'MUG-1', quantity: 2 }],
    },
  }),
  complaint: complaint('shipment'),
  made: (listed) => listed.filter(({ orderType }) => orderType === 'shipment').length,
};

const writeBack: Subject = {
  id: 'salla',
  mode: 'C',
  start,
  entry: (entry) => ({ ...entry, config: { ...entry.config, mode: 'C' } }),
  verbs: { current: 'get', status: 'status', get: 'get', 'look-status': 'get', probe: 'list' },
  refusal,
  body: async (scene) => ({
    account: scene.account,
    reference: `event-${scene.nth}`,
    options: { orderId: await shopped(scene), statusSlug: 'in_progress' },
  }),
  complaint: complaint('status'),
  unnamed: true,
  made: (listed) => listed.filter(({ status }) => status === 'in_progress').length,
};

export const salla: readonly [Subject, ...Subject[]] = [intoStore, correlated, shipments, writeBack];
