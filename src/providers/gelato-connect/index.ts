/**
 * GelatoConnect's Order Management API: one adapter per connector, whose URLs are handed out one by one and
 * share no pattern, so each is a template of its own with `{id}` where an order's id or reference goes.
 */
import { z } from 'zod';
import type { OrderView } from '../../orders/order.js';
import type { Answer } from '../../policy/answer.js';
import type { Outcome } from '../../policy/outcome.js';
import { defineProvider, type Step, type Work } from '../provider.js';
import { isPlausible } from '../reading.js';
import { type Call, jsonRequest, pathSegment } from '../requests.js';
import { headerValue } from '../settings.js';
import { orderOf, READ, REPEATABLE_WRITE, SINGLE_WRITE } from '../steps.js';
import { sameContent, submitBody, toState, updateBody } from './map.js';
import { policy } from './policy.js';
import {
  bodyProblems,
  orderAnswer,
  readError,
  readUpdate,
  type SearchBody,
  searchAnswer,
  submitAnswer,
} from './wire.js';

/** Rows of one search ("Search Orders": limit, at most 100). */
const PAGE_SIZE = 100;

/** How long an accepted order may stay invisible to a GET by its reference; the document says nothing of a delay, 5 s is assumed. */
const LAG_MS = 5_000;

const urlTemplate = (id: 'with {id}' | 'without {id}') =>
  z.string().superRefine((template, ctx) => {
    for (const message of templateProblems(template, id === 'with {id}'))
      ctx.addIssue({ code: 'custom', message });
  });

function templateProblems(template: string, needsId: boolean): string[] {
  const hasId = template.includes('{id}');
  const filled = template.replaceAll('{id}', 'id');
  if (!/^https?:\/\//i.test(filled) || !URL.canParse(filled))
    return ['must be an absolute http or https URL'];
  const url = new URL(filled);
  return [
    ...(url.username !== '' || url.password !== '' ? ['must not hold a user name or password'] : []),
    ...(url.hash !== '' ? ['must not hold a fragment'] : []),
    ...(/[{}]/.test(filled) ? ['must hold no placeholder but {id}'] : []),
    ...(needsId && !hasId ? ['must hold {id} where the order goes'] : []),
    ...(!needsId && hasId ? ['must not hold {id}'] : []),
    ...(url.origin !== new URL(template.replaceAll('{id}', 'other')).origin
      ? ['must hold {id} after the host only']
      : []),
  ];
}

const config = z.strictObject({
  submitUrl: urlTemplate('without {id}'),
  getUrl: urlTemplate('with {id}'),
  cancelUrl: urlTemplate('with {id}'),
  updateShipmentUrl: urlTemplate('with {id}'),
  searchUrl: urlTemplate('without {id}'),
  /** Drafts are held at the provider only where this is given; the document shows no activation. */
  activateUrl: urlTemplate('with {id}').optional(),
  /** The header in which a postback carries `webhookSecret`. A field name (RFC 9110, "Tokens"). */
  webhookHeader: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header name')
    .default('X-Packline-Secret'),
  /** Sent along with each submit; its effect is not documented. */
  preventDuplicate: z.boolean().default(true),
  /** For connectors that serve many customers: names the one that this account is for. */
  customerReferenceId: headerValue.optional(),
});

const credentials = z.strictObject({
  // Key and secret share one header, joined by a colon ("Authentication Method"): one inside the key would end it early.
  apiKey: headerValue.regex(/^[^:]*$/, 'must not contain a colon'),
  apiSecret: headerValue,
  webhookSecret: z.string().min(1).optional(),
});

type Config = z.output<typeof config>;
type Credentials = z.output<typeof credentials>;

const URL_FIELDS = [
  'submitUrl',
  'getUrl',
  'cancelUrl',
  'updateShipmentUrl',
  'searchUrl',
  'activateUrl',
] as const;

/** The adapter, for the registry. */
export const gelatoConnect = defineProvider<Config, Credentials>({
  id: 'gelato-connect',
  title: 'GelatoConnect',
  // 100 requests a second for one user or client ("Rate Limits"); concurrency is ours.
  limits: { requests: 100, perMs: 1_000, concurrency: 20 },
  policy,
  config,
  credentials,
  urls: (settings) =>
    URL_FIELDS.flatMap((path) => {
      const url = settings[path];
      return url === undefined ? [] : [{ path, url }];
    }),
  open: ({ config: settings, credentials: keys }) => {
    const steps = buildSteps(settings, keys);
    return {
      // Test traffic goes to the same host under another customer, so nothing tells it apart.
      mode: 'live',
      capabilities: {
        drafts: settings.activateUrl !== undefined,
        lookup: 'reference',
        idempotencyKey: false,
        uniqueReference: false,
        lagMs: LAG_MS,
      },
      verbs: {
        submit: [steps.submit],
        ...(steps.activate === null ? {} : { activate: [steps.activate] as const }),
        cancel: [steps.cancel],
        update: [steps.update],
      },
      reads: {
        get: steps.get,
        look: steps.look,
        list: { step: steps.search, pageSize: PAGE_SIZE },
        count: steps.count,
        inventory: { lists: [steps.inventory], referenced: true },
        probe: steps.probe,
      },
      readError,
      validate: bodyProblems,
      validateUpdate: readUpdate,
    };
  },
});

function buildSteps(settings: Config, keys: Credentials) {
  const call: Call = (method, url, body) =>
    jsonRequest(method, url, { 'X-API-KEY': `${keys.apiKey}:${keys.apiSecret}` }, body);
  const { customerReferenceId } = settings;
  // Submit, get and search are the calls that are said to need it (article on customer-agnostic connectors).
  const callForCustomer: Call = (method, url, body) => {
    const request = call(method, url, body);
    if (customerReferenceId === undefined) return request;
    return { ...request, headers: { ...request.headers, 'Customer-Reference-ID': customerReferenceId } };
  };
  const { activateUrl } = settings;
  return {
    submit: submitStep(settings, callForCustomer),
    activate: activateUrl === undefined ? null : activateStep(activateUrl, call),
    cancel: cancelStep(settings, call),
    update: updateStep(settings, call),
    ...buildReads(settings, callForCustomer),
  };
}

function submitStep(settings: Config, call: Call): Step {
  const orderType = (order: OrderView) =>
    order.body.activate === false && settings.activateUrl !== undefined ? 'draft' : 'order';
  return {
    ...SINGLE_WRITE,
    name: 'submit',
    request: (work) => {
      const order = orderOf(work);
      const { preventDuplicate } = settings;
      return call(
        'POST',
        settings.submitUrl,
        submitBody(order, { orderType: orderType(order), preventDuplicate }),
      );
    },
    read: (work, answer) => {
      const order = orderOf(work);
      const parsed = submitAnswer.safeParse(answer.json);
      if (!parsed.success) return null;
      const { id, orderReferenceId } = parsed.data;
      // An id under another reference belongs to another order.
      if (orderReferenceId != null && orderReferenceId !== order.providerReference) return null;
      return {
        kind: 'accepted',
        providerOrderId: id,
        status: orderType(order) === 'draft' ? 'draft' : 'submitted',
      };
    },
  };
}

function activateStep(activateUrl: string, call: Call): Step {
  return {
    ...REPEATABLE_WRITE,
    name: 'activate',
    request: (work) => call('PATCH', fill(activateUrl, nameOf(orderOf(work))), { orderType: 'order' }),
    read: (_work, answer) => {
      const parsed = orderAnswer.safeParse(answer.json);
      // It answers with the order; one that is a draft still was not activated.
      if (parsed.success && toState(parsed.data, false).status === 'draft') return null;
      return doneIfPlausible(answer);
    },
  };
}

function cancelStep(settings: Config, call: Call): Step {
  return {
    ...REPEATABLE_WRITE,
    name: 'cancel',
    request: (work) => call('POST', fill(settings.cancelUrl, nameOf(orderOf(work)))),
    read: (_work, answer) => doneIfPlausible(answer),
  };
}

function updateStep(settings: Config, call: Call): Step {
  return {
    ...REPEATABLE_WRITE,
    name: 'update',
    request: (work) => {
      const order = orderOf(work);
      return call('PUT', fill(settings.updateShipmentUrl, nameOf(order)), updateBody(order, work.params));
    },
    read: (_work, answer) => doneIfPlausible(answer),
  };
}

function buildReads(settings: Config, call: Call) {
  const search = (body: SearchBody) => call('POST', settings.searchUrl, body);
  const get: Step = {
    ...READ,
    name: 'get',
    request: (work) => call('GET', fill(settings.getUrl, nameOf(orderOf(work)))),
    read: (work, answer) => {
      const parsed = orderAnswer.safeParse(answer.json);
      if (!parsed.success) return null;
      const state = toState(parsed.data, false);
      // The URL takes an id or a reference; an order that bears neither of that name was not asked for.
      const asked = nameOf(orderOf(work));
      return asked === state.providerOrderId || asked === state.reference
        ? { kind: 'observed', state }
        : null;
    },
  };
  const look: Step = {
    ...READ,
    name: 'look',
    request: (work) => call('GET', fill(settings.getUrl, orderOf(work).providerReference)),
    read: (work, answer) => {
      const order = orderOf(work);
      const parsed = orderAnswer.safeParse(answer.json);
      if (!parsed.success) return null;
      const state = toState(parsed.data, false);
      if (state.reference !== order.providerReference) return null;
      return { kind: 'observed', state: { ...state, sameContent: sameContent(order.body, parsed.data) } };
    },
  };
  const searchFor = (name: string, references: (work: Work) => string[]): Step => ({
    ...READ,
    name,
    request: (work) => search({ orderReferenceIds: references(work), limit: PAGE_SIZE }),
    read: (work, answer) => {
      const parsed = searchAnswer.safeParse(answer.json);
      if (!parsed.success) return null;
      const asked = new Set(references(work));
      const states = parsed.data.orders.map((row) => toState(row, true));
      // A row that was not asked for: the filter is being ignored, and what is missing proves nothing.
      return states.every(({ reference }) => reference !== null && asked.has(reference))
        ? { kind: 'done', states }
        : null;
    },
  });
  const inventory: Step = {
    ...READ,
    name: 'inventory',
    request: ({ params }) =>
      search({ startDate: String(params.since), offset: Number(params.page ?? 0), limit: PAGE_SIZE }),
    read: ({ params }, answer) => {
      const orders = searchAnswer.safeParse(answer.json).data?.orders;
      if (orders === undefined) return null;
      // Nothing says whether more follows; a page that is not full is the last ("Search Orders").
      const next = orders.length < PAGE_SIZE ? null : Number(params.page ?? 0) + PAGE_SIZE;
      return { kind: 'done', states: orders.map((row) => toState(row, true)), data: { next } };
    },
  };
  const probe: Step = {
    ...READ,
    name: 'probe',
    request: () => search({ limit: 1 }),
    read: (_work, answer) => (searchAnswer.safeParse(answer.json).success ? { kind: 'done' } : null),
  };
  return {
    get,
    look,
    search: searchFor('search', referencesOf),
    // A GET by reference shows one order, whichever; a search shows all of them.
    count: searchFor('count', (work) => [orderOf(work).providerReference]),
    inventory,
    probe,
  };
}

/**
 * A write that names nothing new is judged by its status: the body of a success has the shape of an error
 * ("Cancel Order", response).
 */
function doneIfPlausible(answer: Answer): Outcome | null {
  return isPlausible(answer) ? { kind: 'done' } : null;
}

/** What the provider knows the order by: its own id, else the reference that it was given. */
function nameOf(order: OrderView): string {
  return order.providerOrderId ?? order.providerReference;
}

function referencesOf(work: Work): string[] {
  const { references } = work.params;
  return Array.isArray(references) ? references.filter((reference) => typeof reference === 'string') : [];
}

/** Puts a name into a URL template. */
function fill(template: string, name: string): string {
  return template.replaceAll('{id}', () => pathSegment(name));
}
