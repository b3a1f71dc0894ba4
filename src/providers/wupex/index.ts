/**
 * WUPEX: prepaid digital codes. One call charges the account and hands out the codes; it cannot be undone, and
 * nothing else changes anything. What it did is found again by the reference that it was given.
 */
import { z } from 'zod';
import type { Answer } from '../../policy/answer.js';
import type { Outcome } from '../../policy/outcome.js';
import type { ProviderPolicy } from '../../policy/policy.js';
import { defineProvider, type Step } from '../provider.js';
import { foundOrders } from '../reading.js';
import { type Call, jsonRequest, queryValue } from '../requests.js';
import { headerValue, serviceUrl } from '../settings.js';
import { orderOf, placedAs, READ, SINGLE_WRITE } from '../steps.js';
import { handOver, isExact, pullLines, refusedUnderSuccess, rowState, serialsOf, toState } from './map.js';
import { policy } from './policy.js';
import {
  balanceAnswer,
  bodyProblems,
  detailAnswer,
  INSUFFICIENT_BALANCE,
  isRefusal,
  type ListBody,
  listAnswer,
  pulledAnswer,
  readError,
} from './wire.js';

/** Where test keys are good ("Sandbox vs Production"). */
const SANDBOX_HOST = 'sandbox-service.wupex.com';

/** Rows of one lookup: as many as the samples ask for; a reference has one, or few. */
const PAGE_SIZE = 20;

/**
 * How long an order may stay invisible to the list. Nothing is documented; the advice to wait out a request of
 * 30 s before an absence is believed (document, "Exactly-once submit") is taken for this too.
 */
const LAG_MS = 30_000;

const config = z.strictObject({
  baseUrl: serviceUrl.default('https://service.wupex.com'),
  /** The codes of a refusal for lack of money, which the guide does not name. */
  insufficientBalanceCodes: z
    .array(z.string().trim().min(1).max(100))
    .max(50)
    .default([INSUFFICIENT_BALANCE]),
});

const credentials = z.strictObject({ apiKey: headerValue });

type Config = z.output<typeof config>;
type Credentials = z.output<typeof credentials>;

/** The adapter, for the registry. */
export const wupex = defineProvider<Config, Credentials>({
  id: 'wupex',
  title: 'WUPEX',
  // 429 is documented, a figure is not: our own pace (contract, "Numbers").
  limits: { requests: 5, perMs: 1_000, concurrency: 2 },
  policy,
  config,
  credentials,
  urls: (settings) => [{ path: 'baseUrl', url: settings.baseUrl }],
  open: ({ config: settings, credentials: keys, policy: table }) => {
    const { submit, ...reads } = buildSteps(settings, keys, table);
    return {
      mode: new URL(settings.baseUrl).hostname === SANDBOX_HOST ? 'test' : 'live',
      capabilities: {
        drafts: false,
        lookup: 'reference',
        idempotencyKey: false,
        uniqueReference: false,
        lagMs: LAG_MS,
      },
      verbs: { submit: [submit] },
      reads,
      readError: (answer) => readError(answer, settings.insufficientBalanceCodes),
      validate: bodyProblems,
      // Two pulls of one reference at a time could both be charged; all its generations count as one.
      serialKey: (body) => body.reference,
    };
  },
});

/** A step without the care that all of them take with a refusal under 200. */
type Build = (step: Step) => Step;

function buildSteps(settings: Config, keys: Credentials, table: ProviderPolicy) {
  // "Global Headers": a call without a body names a type too.
  const headers = {
    'Accept-Language': 'en-US',
    'Content-Type': 'application/json',
    'x-api-key': keys.apiKey,
  };
  const call: Call = (method, path, body) => jsonRequest(method, `${settings.baseUrl}${path}`, headers, body);
  const error = (answer: Answer) => readError(answer, settings.insufficientBalanceCodes);
  const careful: Build = (step) => ({
    ...step,
    read: (work, answer) =>
      isRefusal(answer.json) ? refusedUnderSuccess(answer, step, table, error) : step.read(work, answer),
  });
  return {
    submit: careful(submitStep(call)),
    get: careful(getStep(call)),
    look: careful(lookStep(call)),
    probe: careful(balanceStep('probe', call)),
    balance: careful(balanceStep('balance', call)),
    inventory: { lists: [careful(inventoryStep(call))] as const, referenced: true },
  };
}

function submitStep(call: Call): Step {
  return {
    ...SINGLE_WRITE,
    name: 'submit',
    request: (work) => {
      const { body, providerReference } = orderOf(work);
      return call(
        'POST',
        `/api/order/pull-codes?referenceId=${queryValue(providerReference)}`,
        pullLines(body),
      );
    },
    read: (work, answer) => {
      const parsed = pulledAnswer.safeParse(answer.json);
      if (!parsed.success) return null;
      const { orderName, totalAmount, serials } = parsed.data.data;
      const handed = handOver(orderOf(work).body, serials ?? []);
      return {
        kind: 'accepted',
        providerOrderId: orderName,
        // Whatever is missing or odd, a read of the order brings or tells.
        status: isExact(handed) ? 'delivered' : 'in_progress',
        ...(totalAmount == null ? {} : { data: { totalAmount } }),
        deliverables: handed.deliverables,
      };
    },
  };
}

function getStep(call: Call): Step {
  return {
    ...READ,
    name: 'get',
    // By WUPEX's own name of the order, and by nothing else.
    request: (work) => call('GET', `/api/order/detail?orderName=${queryValue(placedAs(work))}`),
    read: (work, answer) => {
      const parsed = detailAnswer.safeParse(answer.json);
      if (!parsed.success) return null;
      const { data: detail } = parsed.data;
      const asked = placedAs(work);
      // Another order's codes must never be handed over.
      if (detail.orderName != null && detail.orderName !== asked) return null;
      const handed = handOver(orderOf(work).body, serialsOf(detail));
      return {
        kind: 'observed',
        state: toState(asked, detail, handed),
        deliverables: handed.deliverables,
      };
    },
  };
}

function lookStep(call: Call): Step {
  return {
    ...READ,
    name: 'look',
    request: (work) => {
      const value = orderOf(work).providerReference;
      const body: ListBody = {
        page: 1,
        pageSize: PAGE_SIZE,
        orderColumn: 'orderDate',
        order: 'DESC',
        search: [{ column: 'ReferenceId', operator: 'Equals', value }],
      };
      return call('POST', '/api/order/list', body);
    },
    read: (work, answer) => readLook(orderOf(work).providerReference, answer),
  };
}

/** One order of exactly this reference is found; an empty first page is an absence; anything else proves nothing. */
function readLook(reference: string, answer: Answer): Outcome | null {
  const parsed = listAnswer.safeParse(answer.json);
  if (!parsed.success) return null;
  const { data: rows, pageInfo } = parsed.data;
  if (rows.length === 0) {
    // Rows that are counted and not shown: the page is not the whole of it.
    if ((pageInfo?.totalCount ?? 0) > 0) return null;
    return { kind: 'missing', code: 'no_rows', message: 'the order list holds no order of this reference' };
  }
  // Where all rows are of other references, the filter is being ignored: what is missing proves nothing.
  return foundOrders(rows.filter(({ referenceid }) => referenceid === reference).map(rowState));
}

/** The newest orders, back to the day that is asked for: no filter by day was ever seen. */
function inventoryStep(call: Call): Step {
  return {
    ...READ,
    name: 'inventory',
    request: ({ params }) => {
      const page = Number(params.page ?? 1);
      const body: ListBody = {
        page,
        pageSize: PAGE_SIZE,
        orderColumn: 'orderDate',
        order: 'DESC',
        search: [],
      };
      return call('POST', '/api/order/list', body);
    },
    read: ({ params }, answer) => {
      const rows = listAnswer.safeParse(answer.json).data?.data;
      if (rows === undefined) return null;
      const states = rows.map(rowState);
      const oldest = states.at(-1)?.createdAt;
      const reached = oldest !== undefined && oldest < String(params.since);
      const next = reached || rows.length < PAGE_SIZE ? null : Number(params.page ?? 1) + 1;
      return { kind: 'done', states, data: { next } };
    },
  };
}

/** The balance is the cheapest read there is, so it proves the credentials as well. */
function balanceStep(name: 'probe' | 'balance', call: Call): Step {
  return {
    ...READ,
    name,
    request: () => call('GET', '/api/customer/balance'),
    read: (_work, answer) => {
      const parsed = balanceAnswer.safeParse(answer.json);
      return parsed.success ? { kind: 'done', data: { balance: parsed.data.balance } } : null;
    },
  };
}
