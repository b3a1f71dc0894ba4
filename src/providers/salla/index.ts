/**
 * Salla's Merchant API: one adapter per store, in one of three modes. A puts orders into the store, B ships orders
 * of the store, C writes back how far an order has come. Access tokens end, and each refresh token is good once.
 */
import { z } from 'zod';
import type { OrderStatus, OrderView, ProviderState } from '../../orders/order.js';
import type { Answer } from '../../policy/answer.js';
import type { Outcome } from '../../policy/outcome.js';
import { rotateTokens, tokenCredentials } from '../oauth.js';
import {
  type Capabilities,
  defineProvider,
  type HttpRequest,
  type OpenAccount,
  type Step,
  type Work,
} from '../provider.js';
import { jsonRequest, pathSegment, queryValue } from '../requests.js';
import { serviceUrl } from '../settings.js';
import { orderOf, placedAs, READ, REPEATABLE_WRITE, SINGLE_WRITE } from '../steps.js';
import {
  catalogueOrder,
  externalOrder,
  hasStatus,
  judgeOrders,
  judgeShipments,
  listedFrom,
  orderState,
  orderStatus,
  orderUpdate,
  rawStatus,
  shipmentRequest,
  shipmentState,
  shipmentStatus,
  shippedOrder,
  statusBody,
  statusKey,
  statusTarget,
  type Words,
  writeBackId,
} from './map.js';
import { policy } from './policy.js';
import {
  anyPage,
  bodyProblems,
  doneAnswer,
  ORDER_PATHS,
  orderAnswer,
  ordersPage,
  readError,
  readUpdate,
  shipmentAnswer,
  shipmentsPage,
  statusOf,
} from './wire.js';

/** Rows of a page, at most ("Pagination"). */
const PAGE_SIZE = 60;

/** How long something new may be missing from a list; nothing is documented, 30 s is assumed. */
const LAG_MS = 30_000;

/** Tokens are refreshed a day before they end (partners' kit, "Token refresh"). */
const REFRESH_AHEAD_MS = 24 * 3_600_000;

/** A 202 says that something was deleted, a 204 says nothing ("Responses"). */
const DELETED = 202;
const NO_CONTENT = 204;

const config = z.strictObject({
  baseUrl: serviceUrl.default('https://api.salla.dev/admin/v2'),
  tokenUrl: serviceUrl.default('https://accounts.salla.sa/oauth2/token'),
  mode: z.enum(['A', 'B', 'C']).default('A'),
  /** How mode A creates an order; only an external one is found again by our reference. */
  orderPath: z.enum(ORDER_PATHS).default('/orders/external'),
  openPaymentStatus: z.enum(['waiting', 'pending_payment']).default('waiting'),
  completedMeans: z.enum(['in_progress', 'delivered']).default('in_progress'),
});

const credentials = tokenCredentials.extend({ webhookSecret: z.string().min(1).optional() });

type Config = z.output<typeof config>;
type Credentials = z.output<typeof credentials>;

/** What of an account depends on its mode. */
type ModeOfWork = Pick<OpenAccount, 'verbs' | 'reads' | 'validateUpdate' | 'serialKey'> & {
  lookup: Capabilities['lookup'];
};

/** The adapter, for the registry. */
export const salla = defineProvider<Config, Credentials>({
  id: 'salla',
  title: 'Salla',
  // The smallest plan's budget ("Rate Limiting"), which the store's other apps share; concurrency is ours.
  limits: { requests: 120, perMs: 60_000, concurrency: 4 },
  policy,
  config,
  credentials,
  urls: ({ baseUrl, tokenUrl }) => [
    { path: 'baseUrl', url: baseUrl },
    { path: 'tokenUrl', url: tokenUrl },
  ],
  open: ({ config: settings, credentials: keys }) => {
    const { lookup, ...work } = modeOfWork(settings, callWith(settings, keys));
    return {
      // Tests run against demo stores, which nothing tells from others.
      mode: 'live',
      // A draft can be created, but how it becomes an order is not documented.
      capabilities: { drafts: false, lookup, idempotencyKey: false, uniqueReference: false, lagMs: LAG_MS },
      ...work,
      readError,
      statusOf,
      validate: (body) => bodyProblems(body, settings),
      // "Token rules": the client's own credentials stand in the form.
      tokens: rotateTokens(keys, { tokenUrl: settings.tokenUrl, aheadMs: REFRESH_AHEAD_MS }),
    };
  },
});

/** Writes one request, with what every call carries. */
type Call = (work: Work, method: HttpRequest['method'], path: string, body?: object) => HttpRequest;

function callWith({ baseUrl }: Config, { accessToken }: Credentials): Call {
  return (work, method, path, body) => {
    const headers = {
      // Messages come in Arabic otherwise ("Multi-Language Support"), and some are read (wire.ts).
      'Accept-Language': 'en',
      Authorization: `Bearer ${work.accessToken ?? accessToken}`,
    };
    return jsonRequest(method, `${baseUrl}${path}`, headers, body);
  };
}

function modeOfWork(settings: Config, call: Call): ModeOfWork {
  switch (settings.mode) {
    case 'A':
      return ordersIntoStore(settings, call);
    case 'B':
      return shipmentsOfStore(call);
    case 'C':
      return statusOfStore(settings, call);
    default: {
      const unhandled: never = settings.mode;
      return unhandled;
    }
  }
}

/** A read of one path; what it brings is trusted under 200 only, the one status that a read succeeds with. */
function readStep(
  call: Call,
  name: string,
  path: (work: Work) => string,
  read: (work: Work, json: unknown) => Outcome | null,
): Step {
  return {
    ...READ,
    name,
    request: (work) => call(work, 'GET', path(work)),
    read: (work, answer) => (answer.status === 200 ? read(work, answer.json) : null),
  };
}

function ordersIntoStore(settings: Config, call: Call): ModeOfWork {
  const by = settings.orderPath === '/orders/external' ? 'reference' : 'correlation';
  const path = (work: Work) => `/orders/${pathSegment(placedAs(work))}`;
  const search = (name: string, query: (order: OrderView) => Record<string, string>) =>
    readStep(
      call,
      name,
      (work) => listOf('/orders', query(orderOf(work))),
      (work, json) => {
        const parsed = ordersPage.safeParse(json);
        return parsed.success ? judgeOrders(orderOf(work), parsed.data, by, settings) : null;
      },
    );
  return {
    lookup: by,
    verbs: {
      submit: [orderStep(settings, call)],
      cancel: [cancellableStep(settings, call, path), cancelStep(call, path)],
      update: [
        {
          ...REPEATABLE_WRITE,
          name: 'update',
          request: (work) => call(work, 'PUT', path(work), orderUpdate(orderOf(work), work.params)),
          read: (_work, answer) => doneIfSaid(answer),
        },
      ],
    },
    reads: {
      get: readStep(call, 'get', path, (work, json) => {
        const parsed = orderAnswer.safeParse(json);
        if (!parsed.success) return null;
        const { data: row } = parsed.data;
        // The path takes an id or the number that people see; an order of neither was not asked for.
        return [row.id, row.reference_id].includes(placedAs(work))
          ? { kind: 'observed', state: orderState(row, settings, false) }
          : null;
      }),
      look: search('look', (order) => searchedBy(order, by)),
      // Whether a keyword finds a reference is not documented: an absence is proven by the list of the days alone.
      furtherLooks: [search('look-recent', ({ createdAt }) => ({ from_date: listedFrom(createdAt) }))],
      list: {
        pageSize: PAGE_SIZE,
        walked: true,
        step: listStep(call, 'list', '/orders', (json) =>
          ordersPage
            .safeParse(json)
            // A row may lack the slug that the order itself shows: then it is read alone.
            .data?.data.map((row) => (row.status?.slug == null ? null : orderState(row, settings, true))),
        ),
      },
      inventory: {
        referenced: by === 'reference',
        lists: [
          listStep(call, 'inventory', '/orders', (json) =>
            ordersPage.safeParse(json).data?.data.map((row) => orderState(row, settings, true)),
          ),
        ],
      },
      probe: probeStep(call, '/orders'),
    },
    validateUpdate: readUpdate,
    // Orders of one customer could be taken for each other where the store is told no reference.
    ...(by === 'correlation' ? { serialKey: (body) => `customer:${customerKey(body)}` } : {}),
  };
}

/** By what the store's list finds a customer: its own id, else the digits of the phone. */
function customerKey({ customer }: Pick<OrderView['body'], 'customer'>): string {
  return customer?.id ?? (customer?.phone ?? '').replace(/\D/g, '');
}

/** What "List Orders" searches by: our reference, or the customer where the store is told none. */
function searchedBy(order: OrderView, by: 'reference' | 'correlation'): Record<string, string> {
  if (by === 'reference') return { keyword: order.providerReference };
  const key = customerKey(order.body);
  const customer = order.body.customer?.id === undefined ? { keyword: key } : { customer_id: key };
  return { ...customer, from_date: listedFrom(order.createdAt) };
}

function orderStep(settings: Config, call: Call): Step {
  const isExternal = settings.orderPath === '/orders/external';
  return {
    ...SINGLE_WRITE,
    name: 'order',
    request: (work) => {
      const order = orderOf(work);
      const body = isExternal ? externalOrder(order, settings) : catalogueOrder(order, settings);
      return call(work, 'POST', settings.orderPath, body);
    },
    read: (work, answer) => {
      const parsed = orderAnswer.safeParse(written(answer));
      if (!parsed.success) return null;
      const { id, reference_id: number, external_order_id: reference, status } = parsed.data.data;
      // An id under another reference belongs to another order.
      if (isExternal && reference != null && reference !== orderOf(work).providerReference) return null;
      const told = { status: orderStatus(status?.slug, settings), rawStatus: rawStatus(status) };
      return accepted(id, told, number == null ? {} : { orderNumber: number });
    },
  };
}

/** Before a cancel: the store itself says whether it still takes one ("Order Details", actions). */
function cancellableStep(settings: Words, call: Call, path: (work: Work) => string): Step {
  return readStep(
    call,
    'cancellable',
    (work) => `${path(work)}?format=light`,
    (work, json) => {
      const parsed = orderAnswer.safeParse(json);
      if (!parsed.success || parsed.data.data.id !== placedAs(work)) return null;
      const { data: row } = parsed.data;
      const state = orderState(row, settings, true);
      if (state.status === 'canceled') return { kind: 'observed', state };
      if (row.actions?.cancellable !== false) return { kind: 'done' };
      const message = `Salla no longer cancels this order: it is ${state.rawStatus || 'too far'}`;
      return { kind: 'settled', code: 'not_cancellable', message };
    },
  );
}

/** There is no call to cancel an order: its status becomes `canceled`. */
function cancelStep(call: Call, path: (work: Work) => string): Step {
  return {
    ...REPEATABLE_WRITE,
    name: 'cancel',
    request: (work) => call(work, 'POST', `${path(work)}/status`, { slug: 'canceled' }),
    read: (_work, answer) => doneIfSaid(answer),
  };
}

function shipmentsOfStore(call: Call): ModeOfWork {
  const path = (work: Work) => `/shipments/${pathSegment(placedAs(work))}`;
  const readOne = (work: Work, json: unknown) => {
    const row = shipmentAnswer.safeParse(json).data?.data;
    return row?.id === placedAs(work) ? row : undefined;
  };
  return {
    lookup: 'reference',
    verbs: {
      submit: [shipmentStep(call)],
      cancel: [
        {
          ...REPEATABLE_WRITE,
          name: 'cancel',
          request: (work) => call(work, 'POST', `${path(work)}/cancel`),
          read: (work, answer) => {
            const row = readOne(work, written(answer));
            // It answers with the shipment; one that goes on was not canceled.
            const goesOn = row !== undefined && shipmentStatus(row.status?.slug) !== 'canceled';
            return goesOn ? null : doneIfSaid(answer);
          },
        },
      ],
    },
    reads: {
      get: readStep(call, 'get', path, (work, json) => {
        const row = readOne(work, json);
        return row === undefined ? null : { kind: 'observed', state: shipmentState(row) };
      }),
      look: readStep(
        call,
        'look',
        (work) => listOf('/shipments', { order_id: shippedOrder(orderOf(work)) }),
        (work, json) => {
          const parsed = shipmentsPage.safeParse(json);
          return parsed.success ? judgeShipments(orderOf(work), parsed.data) : null;
        },
      ),
      list: {
        pageSize: PAGE_SIZE,
        walked: true,
        step: listStep(call, 'list', '/shipments', (json) =>
          shipmentsPage.safeParse(json).data?.data.map(shipmentState),
        ),
      },
      inventory: {
        referenced: true,
        lists: [
          listStep(call, 'inventory', '/shipments', (json) =>
            shipmentsPage.safeParse(json).data?.data.map(shipmentState),
          ),
        ],
      },
      probe: probeStep(call, '/shipments'),
    },
    // Where a store shows no references, its other shipments of the order are what a new one is told from.
    serialKey: (body) => `order:${shippedOrder({ body })}`,
  };
}

function shipmentStep(call: Call): Step {
  return {
    ...SINGLE_WRITE,
    name: 'shipment',
    request: (work) => call(work, 'POST', '/shipments', shipmentRequest(orderOf(work))),
    read: (work, answer) => {
      const parsed = shipmentAnswer.safeParse(written(answer));
      if (!parsed.success) return null;
      const { id, order_id: orderId, reference, status } = parsed.data.data;
      const theirs = reference?.external_id;
      if (theirs != null && theirs !== orderOf(work).providerReference) return null;
      const told = { status: shipmentStatus(status?.slug), rawStatus: rawStatus(status) };
      return accepted(id, told, orderId == null ? {} : { orderId });
    },
  };
}

/**
 * A status is read before it is written, and written once: a second write could take back what the merchant has
 * made of the order meanwhile, so a lost answer is looked up like that of an order.
 */
function statusOfStore(settings: Config, call: Call): ModeOfWork {
  const path = (work: Work) => `/orders/${pathSegment(statusTarget(orderOf(work)).orderId)}`;
  const light = (work: Work) => `${path(work)}?format=light`;
  const reread = (name: string, from: typeof path, judge: (told: WrittenTo, work: Work) => Outcome) =>
    readStep(call, name, from, (work, json) => {
      const told = writtenTo(orderOf(work), json, settings);
      return told === null ? null : judge(told, work);
    });
  return {
    lookup: 'reference',
    verbs: {
      submit: [
        reread('current', light, ({ key, state, isThere }) =>
          isThere ? accepted(state.providerOrderId, state) : { kind: 'done', data: { before: key } },
        ),
        {
          ...SINGLE_WRITE,
          name: 'status',
          request: (work) => call(work, 'POST', `${path(work)}/status`, statusBody(orderOf(work))),
          read: (work, answer) => {
            if (doneIfSaid(answer) === null) return null;
            const { slug } = statusTarget(orderOf(work));
            const told = { status: orderStatus(slug, settings), rawStatus: slug ?? '' };
            return accepted(writeBackId(orderOf(work)), told);
          },
        },
      ],
    },
    reads: {
      get: reread('get', path, ({ state }) => ({ kind: 'observed', state })),
      look: reread('look-status', light, ({ key, state, isThere }, { carry }) => {
        if (isThere) return { kind: 'observed', state: { ...state, sameContent: true } };
        // Neither what it was nor what was asked for: whether ours was there in between, nobody can tell.
        if (key !== carry.before) return { kind: 'done', states: [state] };
        return {
          kind: 'missing',
          code: 'status_unchanged',
          message: `the order is ${state.rawStatus} as before`,
        };
      }),
      probe: probeStep(call, '/orders'),
    },
    // One status after another, in the order in which the shop wrote them.
    serialKey: (body) => `order:${statusTarget({ body }).orderId}`,
  };
}

/** What the store says of the order that a status is written to. */
interface WrittenTo {
  /** Tells its present status from others. */
  key: string | null;
  state: ProviderState;
  /** It has the status that is asked for. */
  isThere: boolean;
}

function writtenTo(order: OrderView, json: unknown, settings: Words): WrittenTo | null {
  const row = orderAnswer.safeParse(json).data?.data;
  const target = statusTarget(order);
  if (row === undefined || ![row.id, row.reference_id].includes(target.orderId)) return null;
  return {
    key: statusKey(row.status),
    // The store's order is not ours alone; what is ours is what we write to it.
    state: { ...orderState(row, settings, false), providerOrderId: writeBackId(order), reference: null },
    isThere: hasStatus(target, row.status),
  };
}

/**
 * What the store holds since a day, whoever made it, page after page.
 * @param statesOf null for a row that tells no state
 */
function listStep(
  call: Call,
  name: 'list' | 'inventory',
  path: '/orders' | '/shipments',
  statesOf: (json: unknown) => (ProviderState | null)[] | undefined,
): Step {
  const query = ({ since, page }: Work['params']) => ({
    from_date: listedFrom(new Date(String(since))),
    page: String(page ?? 1),
  });
  return readStep(
    call,
    name,
    ({ params }) => listOf(path, query(params)),
    ({ params }, json) => {
      const rows = statesOf(json);
      if (rows === undefined) return null;
      const next = rows.length < PAGE_SIZE ? null : Number(params.page ?? 1) + 1;
      return { kind: 'done', states: rows.filter((state) => state !== null), data: { next } };
    },
  );
}

function probeStep(call: Call, path: '/orders' | '/shipments'): Step {
  return readStep(
    call,
    'probe',
    () => listOf(path, {}, 1),
    (_work, json) => (anyPage.safeParse(json).success ? { kind: 'done' } : null),
  );
}

function accepted(
  providerOrderId: string,
  told: { status: OrderStatus | null; rawStatus: string },
  data: Record<string, string> = {},
): Outcome {
  return {
    kind: 'accepted',
    providerOrderId,
    status: told.status ?? 'submitted',
    ...(told.rawStatus === '' ? {} : { rawStatus: told.rawStatus }),
    ...(Object.keys(data).length === 0 ? {} : { data }),
  };
}

/** The body of an answer to a write: "inserted or updated" is a 200 or 201, never "deleted". */
function written(answer: Answer): unknown {
  return answer.status === DELETED ? undefined : answer.json;
}

/** A write that names nothing new is judged by its status and the envelope; without content by the status alone. */
function doneIfSaid(answer: Answer): Outcome | null {
  const isEmpty = answer.status === NO_CONTENT && answer.body.trim() === '';
  return isEmpty || doneAnswer.safeParse(written(answer)).success ? { kind: 'done' } : null;
}

function listOf(path: '/orders' | '/shipments', query: Record<string, string>, rows = PAGE_SIZE): string {
  const pairs = Object.entries({ ...query, per_page: String(rows) });
  return `${path}?${pairs.map(([name, value]) => `${name}=${queryValue(value)}`).join('&')}`;
}
