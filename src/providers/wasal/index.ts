/**
 * Wasal's Merchant Integration API: last-mile delivery in Kuwait. An order is a package that a driver picks up at
 * a branch and brings to an address of a customer's; both have to be known to Wasal before the order is.
 */
import { z } from 'zod';
import type { OrderView } from '../../orders/order.js';
import type { Answer, ProviderError } from '../../policy/answer.js';
import type { Fact, Outcome } from '../../policy/outcome.js';
import { nextOpening, openingHours } from '../opening-hours.js';
import { defineProvider, type HttpRequest, type Step, type Work } from '../provider.js';
import { type Call, jsonRequest, pathSegment } from '../requests.js';
import { serviceUrl } from '../settings.js';
import { orderOf, placedAs, READ, REPEATABLE_WRITE, SINGLE_WRITE } from '../steps.js';
import {
  addressDigest,
  addressFact,
  addressOf,
  asksForDraft,
  customerBody,
  customerDigest,
  type HeldAddress,
  heldAddresses,
  idsOf,
  isSamePlace,
  judgeList,
  phoneOf,
  placeDigest,
  prepare,
  statusOf,
  submitBody,
  textIn,
  toData,
  toState,
} from './map.js';
import { policy } from './policy.js';
import {
  type AddressBody,
  bodyProblems,
  isSuccess,
  readAddress,
  readCustomer,
  readError,
  readList,
  readOrder,
  type StoredAddress,
  type StoredCustomer,
} from './wire.js';

/** "Auth and environments". */
const PREFIX = '/integration/merchant';
const TEST_KEY = 'pk_test_';

/** Rows of one page ("Endpoints", list / search: limit, at most 100). */
const PAGE_SIZE = 100;

/** How long an accepted order may stay invisible to the list; nothing is documented, 5 s is assumed. */
const LAG_MS = 5_000;

const HOUR_MS = 3_600_000;
/** A phone number is one customer's for good ("Endpoints", customers); the bound is for what nobody asks for again. */
const CUSTOMER_TTL_MS = 30 * 24 * HOUR_MS;
/** A person can change an address at Wasal, of which we do not hear: it is believed for a day. */
const ADDRESS_TTL_MS = 24 * HOUR_MS;

/** Names that an order's body uses already ("Create-order body"). */
const TAKEN_FIELDS: readonly string[] = [
  'customerId',
  'customerAddressId',
  'branchId',
  'branchCode',
  'specialHandlingTags',
  'packageSide',
  'paymentMethod',
  'amountToCollect',
  'pricing',
  'items',
  'merchantNotes',
  'orderMerchantReferenceNumber',
  'status',
  'draft',
];

const config = z.strictObject({
  baseUrl: serviceUrl.default('https://www.wasal.org/api/v1'),
  /** Behind the prefix of all routes. The operation is documented, its path is not. */
  activatePath: z
    .string()
    .regex(/^\/[^?#\s]*$/, 'must be a path that begins with / and holds neither ? nor #')
    .refine((path) => path.split('/').includes('{id}'), "must hold {id} where the order's id goes")
    .default('/order/{id}/activate'),
  /** When the delivery partner takes orders; without it a closed window is asked about every 15 minutes. */
  openingHours: openingHours('Asia/Kuwait').optional(),
  packagePhotoField: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'must be the name of a field')
    .refine((field) => !TAKEN_FIELDS.includes(field), 'must not be a field that an order has anyway')
    .default('packagePhoto'),
  /** What `packageSide` may be; without it Wasal alone judges. */
  packageSides: z.array(z.string().trim().min(1).max(200)).min(1).max(100).optional(),
  /** How a new order is asked to be a draft: `"status": "draft"` or `"draft": true`. Neither is documented. */
  draftField: z.enum(['status', 'draft']).optional(),
});

const credentials = z.strictObject({
  apiKey: z
    .string()
    .regex(/^pk_(?:live|test)_[\x21-\x7e]+$/, 'must begin with pk_live_ (production) or pk_test_ (sandbox)'),
  webhookSecret: z.string().min(1).optional(),
});

type Config = z.output<typeof config>;
type Credentials = z.output<typeof credentials>;

/** The adapter, for the registry. */
export const wasal = defineProvider<Config, Credentials>({
  id: 'wasal',
  title: 'Wasal',
  // 600 requests in 15 minutes for one key ("Rate limiting"); concurrency is ours.
  limits: { requests: 600, perMs: 900_000, concurrency: 4 },
  policy,
  config,
  credentials,
  urls: (settings) => [{ path: 'baseUrl', url: settings.baseUrl }],
  open: ({ config: settings, credentials: keys }) => {
    const call = callWith(settings, keys);
    const isTest = keys.apiKey.startsWith(TEST_KEY);
    const follows = (body: OrderView['body'], status?: string) =>
      status === 'draft' && !asksForDraft(body, settings);
    return {
      mode: isTest ? 'test' : 'live',
      capabilities: {
        drafts: settings.draftField !== undefined,
        lookup: 'reference',
        idempotencyKey: false,
        uniqueReference: false,
        lagMs: LAG_MS,
      },
      verbs: {
        // Which of the first five are needed, `prepare` says.
        submit: [...customerSteps(call), orderStep(call, settings)],
        activate: [activateStep(call, settings)],
        cancel: [cancelStep(call)],
      },
      reads: buildReads(call, isTest),
      readError: (answer) => timedError(answer, settings),
      validate: (body) => bodyProblems(body, settings.packageSides),
      prepare,
      // Where the account makes drafts of orders that are to go out at once.
      activation: { follows, from: ['draft'] },
    };
  },
});

/**
 * The request that moves a sandbox order to another status, for tests and tools: Wasal takes it with a test key
 * only, and no verb of ours needs it.
 * @param account the base URL and key of an account
 */
export function advanceStatus(
  account: Pick<Config, 'baseUrl'> & Pick<Credentials, 'apiKey'>,
  providerOrderId: string,
  status: string,
): HttpRequest {
  const path = `/sandbox/order/${pathSegment(providerOrderId)}/advance-status`;
  return callWith(account, account)('PUT', path, { status });
}

function callWith(settings: Pick<Config, 'baseUrl'>, keys: Pick<Credentials, 'apiKey'>): Call {
  const headers = { Authorization: `Bearer ${keys.apiKey}` };
  return (method, path, body) => jsonRequest(method, `${settings.baseUrl}${PREFIX}${path}`, headers, body);
}

/** The error, and of a closed window when the configured hours say that it opens: `retryAt`, epoch ms. */
function timedError(answer: Answer, settings: Config): ProviderError & { retryAt?: number } {
  const error = readError(answer);
  if (error.code !== 'ORDER_WINDOW_CLOSED' || settings.openingHours === undefined) return error;
  const retryAt = nextOpening(settings.openingHours, answer.receivedAt);
  return retryAt === null ? error : { ...error, retryAt };
}

function customerSteps(call: Call): [Step, ...Step[]] {
  return [
    {
      ...REPEATABLE_WRITE,
      name: 'customer',
      request: (work) =>
        call('POST', '/customer/upsert', customerBody(orderOf(work), work.carry.withoutEmail === true)),
      read: (work, answer) => {
        const { body } = orderOf(work);
        const customer = readCustomer(answer);
        const phone = phoneOf(body);
        if (customer === null || phone === null) return null;
        const value = { customerId: customer.id, told: customerDigest(body) };
        return found(addressOf(body), customer, [
          { kind: 'customer', key: phone, value, ttlMs: CUSTOMER_TTL_MS },
        ]);
      },
    },
    {
      ...READ,
      name: 'customer-get',
      request: (work) => call('GET', `/customer/${pathSegment(customerIdOf(work))}`),
      read: (work, answer) => {
        const customer = readCustomer(answer);
        if (customer === null || customer.id !== customerIdOf(work)) return null;
        // A customer whose addresses are not told is taken for one without any: Wasal itself refuses a sixth.
        const addresses = customer.addresses ?? [];
        return found(addressOf(orderOf(work).body), { ...customer, addresses }, []);
      },
    },
    addressStep('address', call),
    // Asked for although five are there and in use: the refusal is Wasal's to give.
    addressStep('address-sixth', call),
    replaceStep(call),
  ];
}

/** What a customer's own answer brings: its id, the addresses, and among them the one that the order wants. */
function found(wanted: AddressBody | null, customer: StoredCustomer, facts: Fact[]): Outcome {
  const addresses = customer.addresses ?? (customer.isNew ? [] : null);
  const held = (addresses ?? []).map(({ id, place }) => ({ id, digest: placeDigest(place) }));
  const match = wanted === null ? undefined : matching(wanted, addresses ?? []);
  return {
    kind: 'done',
    data: {
      customerId: customer.id,
      addresses: wanted === null || addresses === null ? null : held,
      ...(match === undefined ? {} : { customerAddressId: match.id }),
    },
    facts: [...facts, ...remembered(wanted, customer.id, match)],
  };
}

function matching(wanted: AddressBody, addresses: readonly StoredAddress[]): StoredAddress | undefined {
  const digest = addressDigest(wanted);
  return (
    addresses.find(({ place }) => placeDigest(place) === digest) ??
    addresses.find(({ place }) => isSamePlace(wanted, place))
  );
}

/**
 * An address is remembered only where Wasal holds exactly what we sent: when it is replaced one day, what it held
 * is all that tells which memory to give up.
 */
function remembered(
  wanted: AddressBody | null,
  customerId: string,
  held: StoredAddress | null | undefined,
): Fact[] {
  if (wanted === null || held == null) return [];
  const digest = addressDigest(wanted);
  if (placeDigest(held.place) !== digest) return [];
  return [
    { kind: addressFact(digest), key: customerId, value: { addressId: held.id }, ttlMs: ADDRESS_TTL_MS },
  ];
}

/**
 * Repeatable: an address that is created twice costs no money, only one of the customer's five. After an answer
 * that was lost, `prepare` reads the customer before the next try, so that even this is rare.
 */
function addressStep(name: 'address' | 'address-sixth', call: Call): Step {
  return {
    ...REPEATABLE_WRITE,
    name,
    request: (work) => call('POST', `/customer/${pathSegment(customerIdOf(work))}/address`, wantedOf(work)),
    read: (work, answer) => {
      const address = readAddress(answer);
      if (address === null) return null;
      return {
        kind: 'done',
        data: { customerAddressId: address.id, addresses: null },
        facts: remembered(wantedOf(work), customerIdOf(work), address),
      };
    },
  };
}

/** Gives one of a customer's five addresses a new content; `carry.replaces` says which. */
function replaceStep(call: Call): Step {
  const replaced = ({ carry }: Work): HeldAddress => heldAddresses.element.parse(carry.replaces);
  return {
    ...REPEATABLE_WRITE,
    name: 'address-replace',
    request: (work) => {
      const path = `/customer/${pathSegment(customerIdOf(work))}/address/${pathSegment(replaced(work).id)}`;
      return call('PUT', path, wantedOf(work));
    },
    read: (work, answer) => {
      if (!isSuccess(answer)) return null;
      const { id, digest } = replaced(work);
      const customerId = customerIdOf(work);
      const now = readAddress(answer);
      return {
        kind: 'done',
        data: { customerAddressId: id, addresses: null, replaces: null },
        facts: [
          { kind: addressFact(digest), key: customerId, value: null },
          ...remembered(wantedOf(work), customerId, now?.id === id ? now : null),
        ],
      };
    },
  };
}

function orderStep(call: Call, settings: Config): Step {
  return {
    ...SINGLE_WRITE,
    name: 'order',
    request: (work) => call('POST', '/order', submitBody(orderOf(work), work.carry, settings)),
    read: (work, answer) => {
      const order = readOrder(answer);
      if (order === null) return null;
      const { _id, orderMerchantReferenceNumber: reference, status } = order;
      // An id under another reference belongs to another order.
      if (reference != null && reference !== orderOf(work).providerReference) return null;
      return {
        kind: 'accepted',
        providerOrderId: _id,
        status: statusOf(order) ?? 'submitted',
        ...(status ? { rawStatus: status } : {}),
        data: { ...idsOf(orderOf(work), work.carry), ...toData(order) },
      };
    },
  };
}

function activateStep(call: Call, { activatePath }: Config): Step {
  return {
    ...REPEATABLE_WRITE,
    name: 'activate',
    request: (work) =>
      call(
        'PUT',
        activatePath.replaceAll('{id}', () => pathIdOf(work)),
      ),
    // It answers with the order; one that is a draft still was not activated.
    read: (work, answer) => doneUnless(work, answer, (status) => status === 'draft'),
  };
}

function cancelStep(call: Call): Step {
  return {
    ...REPEATABLE_WRITE,
    name: 'cancel',
    request: (work) => call('PUT', `/order/${pathIdOf(work)}/cancel`),
    read: (work, answer) => doneUnless(work, answer, (status) => status !== null && status !== 'canceled'),
  };
}

/** A success, unless the order that it may tell is another one or stands as it should not. */
function doneUnless(
  work: Work,
  answer: Answer,
  isWrong: (status: ReturnType<typeof statusOf>) => boolean,
): Outcome | null {
  if (!isSuccess(answer)) return null;
  const order = readOrder(answer);
  if (order !== null && (order._id !== orderOf(work).providerOrderId || isWrong(statusOf(order))))
    return null;
  return { kind: 'done' };
}

function buildReads(call: Call, isTest: boolean) {
  /** A test key sees its orders only where they are asked for ("Exactly-once submit"). */
  const list = (query: Record<string, string>) => {
    const asked = new URLSearchParams({ ...query, ...(isTest ? { sandbox: '1' } : {}) });
    return call('GET', `/order?${asked.toString()}`);
  };
  const get: Step = {
    ...READ,
    name: 'get',
    request: (work) => call('GET', `/order/${pathIdOf(work)}`),
    read: (work, answer) => {
      const order = readOrder(answer);
      if (order === null || order._id !== orderOf(work).providerOrderId) return null;
      return { kind: 'observed', state: toState(order) };
    },
  };
  // The list leaves cancelled orders out unless it is asked for them alone, so a round has two lookups.
  const look = (name: string, query: Record<string, string>): Step => ({
    ...READ,
    name,
    request: (work) =>
      list({ referenceNumber: orderOf(work).providerReference, limit: String(PAGE_SIZE), ...query }),
    read: (work, answer) => {
      const order = orderOf(work);
      const page = readList(answer);
      return page === null ? null : judgeList(order, work.carry, page);
    },
  });
  const since = ({ params }: Work) => ({
    dateFrom: String(params.since),
    page: String(params.page ?? 1),
    limit: String(PAGE_SIZE),
  });
  /** What the following page is asked for with. */
  const nextOf = ({ params }: Work, rows: number) => (rows < PAGE_SIZE ? null : Number(params.page ?? 1) + 1);
  const page: Step = {
    ...READ,
    name: 'list',
    request: (work) => list(since(work)),
    read: (work, answer) => {
      const found = readList(answer);
      if (found === null) return null;
      // Orders that packline did not make stand here too; one of ours that cannot be read, or is cancelled, is read singly.
      return {
        kind: 'done',
        states: found.orders.flatMap((order) => (order === null ? [] : [toState(order)])),
        data: { next: nextOf(work, found.orders.length) },
      };
    },
  };
  const inventory = (name: string, query: Record<string, string>): Step => ({
    ...READ,
    name,
    request: (work) => list({ ...since(work), ...query }),
    read: (work, answer) => {
      const states = readList(answer)?.orders.map((order) => (order === null ? null : toState(order)));
      // One row that cannot be read could be any order.
      const readable = states?.filter((state) => state !== null);
      if (readable === undefined || readable.length !== states?.length) return null;
      return { kind: 'done', states: readable, data: { next: nextOf(work, readable.length) } };
    },
  });
  const probe: Step = {
    ...READ,
    name: 'probe',
    request: () => list({ limit: '1' }),
    read: (_work, answer) => (readList(answer) === null ? null : { kind: 'done' }),
  };
  return {
    get,
    look: look('look', {}),
    furtherLooks: [look('look-cancelled', { status: 'cancelled' })],
    list: { step: page, pageSize: PAGE_SIZE, walked: true as const },
    inventory: {
      lists: [inventory('inventory', {}), inventory('inventory-cancelled', { status: 'cancelled' })] as const,
      referenced: true,
    },
    probe,
  };
}

function customerIdOf({ order, carry }: Work): string {
  const customerId = textIn(carry, 'customerId') ?? order?.body.customer?.id;
  if (customerId === undefined) throw new TypeError('this step needs a customer');
  return customerId;
}

function wantedOf(work: Work): AddressBody {
  const wanted = addressOf(orderOf(work).body);
  if (wanted === null) throw new TypeError('this step needs an address');
  return wanted;
}

/** Wasal's id of the order, for a path. */
function pathIdOf(work: Work): string {
  return pathSegment(placedAs(work, 'an order that Wasal has'));
}
