/** Wasal, for the conformance suite. */
import { request } from 'undici';
import type { JsonObject } from '../../../src/json.js';
import { startWasalSimulator } from '../../../src/simulator/wasal/index.js';
import { systemTime } from '../../../src/time.js';
import type { Place, Scene, Subject } from '../conformance/subject.js';
import { ringToEnd } from '../conformance/walk.js';

const KEY = 'pk_live_suite';
const PREFIX = '/api/v1/integration/merchant';

const OPTIONS = { branchCode: 'MAIN', specialHandlingTags: ['fragile'] };
const address = (houseNumber: string) => ({
  label: 'Home',
  addressType: 'house',
  governorateId: '2',
  neighborhoodId: '201',
  blockId: '20101',
  houseNumber,
});

const phoneOf = (nth: number) => `+965 5000 ${String(nth).padStart(4, '0')}`;

const body = ({ account, nth }: Place): JsonObject => ({
  account,
  reference: `order-${nth}`,
  currency: 'KWD',
  customer: { firstName: 'نورة', lastName: 'الصباح', email: `noura${nth}@example.com`, phone: phoneOf(nth) },
  shippingAddress: { line1: 'Street 12', city: 'Salmiya', country: 'KW' },
  items: [{ reference: 'line-1', sku: 'mug', name: 'Mug', quantity: 2, unitPrice: '1.25' }],
  payment: { method: 'cod', amountToCollect: '3.755' },
  totals: { subtotal: '2.5', shipping: '1.255', total: '3.755' },
  options: { ...OPTIONS, address: address('8') },
});

/** A customer who is at Wasal already, with so many addresses. */
async function knownCustomer(
  { simulator, nth }: Scene,
  places: number,
): Promise<{ id: string; addresses: string[] }> {
  const answer = await request(`${simulator.url}${PREFIX}/customer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'نورة الصباح',
      phoneNumber: `+9655001${String(nth).padStart(4, '0')}`,
      addresses: Array.from({ length: places }, (_, n) => ({
        ...address(String(100 + n)),
        line1: 'Street 1',
      })),
    }),
  });
  // The simulator answers as Wasal documents it ("Endpoints", customers).
  const { data } = (await answer.body.json()) as {
    data: { customer: { _id: string; addresses: { _id: string }[] } };
  };
  return { id: data.customer._id, addresses: data.customer.addresses.map(({ _id }) => _id) };
}

/** An open order goes to each of the customer's five addresses. */
async function useAll(scene: Scene, id: string, addresses: readonly string[]): Promise<void> {
  for (const customerAddressId of addresses) {
    const order = await scene.world.send({
      ...body(scene),
      reference: `order-${scene.nth}-${customerAddressId}`,
      customer: { id },
      options: { ...OPTIONS, customerAddressId },
    });
    await ringToEnd(scene.world, await scene.world.operation(order, 'submit'));
  }
}

export const wasal: Subject = {
  id: 'wasal',
  start: () =>
    startWasalSimulator({ liveKey: KEY, requestsPerWindow: 1_000_000, stepMs: 0, time: systemTime }),
  // How a draft is created is not documented; without it there is nothing to activate.
  entry: (entry) => ({ ...entry, config: { ...entry.config, draftField: 'draft' } }),
  verbs: {
    customer: 'customer-upsert',
    'customer-get': 'customer-get',
    address: 'address-create',
    'address-sixth': 'address-create',
    'address-replace': 'address-update',
    order: 'submit',
    activate: 'activate',
    cancel: 'cancel',
    get: 'get',
    look: 'search',
    'look-cancelled': 'search',
    list: 'search',
    probe: 'search',
  },
  refusal: (status, code) => ({
    status,
    body: { success: false, message: 'Not as it should be', code: code ?? 'NOT_IN_THE_REFERENCE' },
  }),
  body,
  complaint: {
    step: 'customer',
    told: {
      status: 400,
      body: {
        success: false,
        message: 'Validation failed',
        code: 'VALIDATION_FAILED',
        errors: { phoneNumber: 'رقم الهاتف غير صحيح' },
      },
    },
    said: 'Validation failed',
    fields: { phoneNumber: ['رقم الهاتف غير صحيح'] },
  },
  arrivals: {
    'customer-get': {
      after: [],
      body: async (scene) => ({ customer: { id: (await knownCustomer(scene, 1)).id } }),
    },
    address: { after: ['customer'] },
    'address-sixth': {
      after: ['customer-get'],
      refused: true,
      body: async (scene) => {
        const { id, addresses } = await knownCustomer(scene, 5);
        await useAll(scene, id, addresses);
        return { customer: { id } };
      },
    },
    'address-replace': {
      after: ['customer-get'],
      body: async (scene) => ({ customer: { id: (await knownCustomer(scene, 5)).id } }),
    },
    order: { after: ['customer', 'address'] },
    activate: { body: () => ({ activate: false }) },
  },
};
