/**
 * Zupy's Partner API v2: a customer of a restaurant pays points for a reward and gets a coupon (submit), which is
 * used at the till (activate). A redeem takes no reference of ours and can be repeated at will, so what there was
 * before is read first, and a lost answer is looked for among what is new.
 */
import { z } from 'zod';
import type { JsonObject } from '../../json.js';
import type { OrderView, ProviderState } from '../../orders/order.js';
import type { Answer } from '../../policy/answer.js';
import type { Outcome } from '../../policy/outcome.js';
import {
  defineProvider,
  type HttpRequest,
  type OneTimePassword,
  type Preparation,
  type Step,
  type Work,
} from '../provider.js';
import { isPlausible } from '../reading.js';
import { jsonRequest, pathSegment } from '../requests.js';
import { serviceUrl } from '../settings.js';
import { orderOf, placedAs, READ, REPEATABLE_WRITE, SINGLE_WRITE } from '../steps.js';
import {
  accepted,
  baselineOf,
  couponState,
  findNew,
  findUnspent,
  findUse,
  identifierOf,
  listedState,
  pairOf,
  readCoupon,
  redeemBody,
  remainingOf,
  used,
} from './map.js';
import { policy } from './policy.js';
import {
  bodyProblems,
  type CouponRow,
  isSession,
  type RequestOtpBody,
  readError,
  readPage,
  readPoints,
  readRedeemed,
  readSession,
  readValidated,
  type VerifyOtpBody,
} from './wire.js';

/** Rows of a page. The largest is not documented; a list that does not fit says so, and then proves nothing. */
const PAGE_SIZE = 100;

/** How long a coupon may stay invisible to the list (document, "Exactly-once submit": a grace of 30 s). */
const LAG_MS = 30_000;

/** A session holds for about 30 minutes ("otp-required"); what is left of the last two is not relied on. */
const SESSION_MS = 28 * 60_000;

const SESSION_FACT = 'otp-session';

const config = z.strictObject({ baseUrl: serviceUrl.default('https://api.zupy.com/api/v2') });

const credentials = z.strictObject({
  apiKey: z
    .string()
    .regex(/^zupy_pk_[\x21-\x7e]+$/, 'must begin with zupy_pk_ and hold visible ASCII characters only'),
  webhookSecret: z.string().min(1).optional(),
});

type Config = z.output<typeof config>;
type Credentials = z.output<typeof credentials>;

/** The adapter, for the registry. */
export const zupy = defineProvider<Config, Credentials>({
  id: 'zupy',
  title: 'Zupy',
  // 60 requests a minute for each key ("rate-limit-exceeded"); concurrency is ours.
  limits: { requests: 60, perMs: 60_000, concurrency: 2 },
  policy,
  config,
  credentials,
  urls: (settings) => [{ path: 'baseUrl', url: settings.baseUrl }],
  open: ({ config: settings, credentials: keys }) => {
    const call = callWith(settings, keys);
    const uses = useSteps(call);
    return {
      mode: 'live',
      capabilities: {
        // A coupon that nobody has used yet stays at Zupy: `activate` is its use, and nothing is held here for it.
        drafts: true,
        lookup: 'correlation',
        idempotencyKey: false,
        uniqueReference: false,
        lagMs: LAG_MS,
      },
      verbs: {
        submit: [pointsStep(call), couponsStep(call), redeemStep(call)],
        // Which of the last two it is, `prepare` says. A use never leads on to the next step: it ends the verb.
        activate: [uses.remaining, uses.validateMulti, uses.validate],
      },
      reads: {
        get: getStep(call),
        // Not done, only if there is no new coupon and no point is missing (document, "Exactly-once submit").
        look: lookStep(call),
        furtherLooks: [pointsLookStep(call)],
        // What is active still is as we know it; whatever is not among them has changed, and is read singly.
        list: {
          step: issuedStep(call, 'list', { status: 'active' }, listedState),
          pageSize: PAGE_SIZE,
          walked: true,
        },
        inventory: { lists: [issuedStep(call, 'inventory', {}, couponState)], referenced: false },
        probe: probeStep(call),
      },
      readError,
      validate: bodyProblems,
      prepare,
      activation: { follows: (body) => body.activate === true, from: ['submitted', 'in_progress'] },
      otp: otpSteps(call),
      serialKey: ({ customer, items }) => `${customer?.id ?? ''}/${items?.[0]?.sku ?? ''}`,
    };
  },
});

const prepare: Preparation = {
  facts: () => ({ facts: [] }),
  begin: (kind, { carry }, { last = null }) => {
    // A coupon of a single use may be asked to be used again after an unclear answer, one of several may not.
    if (kind === 'activate' && 'totalUsages' in carry)
      return { step: carry.totalUsages === 1 ? 'validate' : 'validate-multi', carry: {} };
    // The redeem has waited, and other coupons may have been issued meanwhile: what there was before is read anew.
    const hasWaited = last?.step === 'redeem' && WAITS.includes(last.kind);
    return kind === 'submit' && hasWaited ? { step: 'points', carry: {} } : null;
  },
};

/** Outcomes that certainly did nothing, and after which an operation stands still for longer than a moment. */
const WAITS: readonly string[] = ['waiting', 'throttled', 'blocked'];

/** Writes one request, with what every call carries; `session` for those that a one-time password may be wanted for. */
type Call = (
  method: HttpRequest['method'],
  path: string,
  more?: { body?: object; session?: JsonObject | undefined },
) => HttpRequest;

function callWith(settings: Config, keys: Credentials): Call {
  return (method, path, { body, session } = {}) => {
    const headers = {
      // Spelled so, for some gateways compare it with case ("authentication-required").
      'X-API-Key': keys.apiKey,
      ...(isSession(session?.token) ? { 'X-OTP-Session': session.token } : {}),
    };
    return jsonRequest(method, `${settings.baseUrl}${path}`, headers, body);
  };
}

function pointsStep(call: Call): Step {
  return {
    ...READ,
    name: 'points',
    request: (work) => call('GET', `/customers/${pathSegment(pairOf(orderOf(work)).customerId)}/points/`),
    read: (work, answer) => {
      const points = readPoints(answer.json);
      if (points === null || isOthers(work, points.customer_id)) return null;
      return { kind: 'done', data: { baselinePoints: points.points_balance } };
    },
  };
}

function couponsStep(call: Call): Step {
  return {
    ...READ,
    name: 'coupons',
    request: (work) => listOfPair(call, orderOf(work)),
    read: (work, answer) => {
      const page = readPage(answer.json);
      const data = page === null ? null : baselineOf(orderOf(work), page);
      return data === null ? null : { kind: 'done', data };
    },
  };
}

function redeemStep(call: Call): Step {
  return {
    ...SINGLE_WRITE,
    name: 'redeem',
    request: (work) => {
      const order = orderOf(work);
      const { customerId, rewardId } = pairOf(order);
      const path = `/customers/${pathSegment(customerId)}/rewards/${pathSegment(rewardId)}/redeem/`;
      return call('POST', path, { body: redeemBody(order), session: work.session });
    },
    read: (work, answer) => {
      const redeemed = readRedeemed(answer.json);
      if (redeemed === null || isOthers(work, redeemed.customer_id)) return null;
      return accepted(orderOf(work), redeemed);
    },
  };
}

function useSteps(call: Call): Record<'remaining' | 'validateMulti' | 'validate', Step> {
  const use: Pick<Step, 'request' | 'read'> = {
    request: (work) => {
      const { customerId } = pairOf(orderOf(work));
      const path = `/customers/${pathSegment(customerId)}/coupons/${pathSegment(codeOf(work))}/validate/`;
      return call('POST', path, { session: work.session });
    },
    read: (work, answer) => {
      const validated = readValidated(answer.json);
      if (validated === null || isOthers(work, validated.customer_id)) return null;
      return used(codeOf(work), work.carry, validated);
    },
  };
  return {
    remaining: {
      ...READ,
      name: 'remaining',
      request: (work) => listOfCode(call, codeOf(work)),
      read: (work, answer) => {
        const page = readPage(answer.json);
        return page === null ? null : remainingOf(orderOf(work), codeOf(work), page, answer.receivedAt);
      },
    },
    validateMulti: { ...SINGLE_WRITE, ...use, name: 'validate-multi' },
    validate: { ...REPEATABLE_WRITE, ...use, name: 'validate' },
  };
}

function getStep(call: Call): Step {
  return {
    ...READ,
    name: 'get',
    request: (work) => listOfCode(call, codeOf(work)),
    read: (work, answer) => {
      const page = readPage(answer.json);
      return page === null ? null : readCoupon(orderOf(work), codeOf(work), work.carry, page);
    },
  };
}

/** Whether it is the answer to a use that was lost: then the coupon itself is looked at. */
const isOfUse = ({ carry }: Work): boolean => 'remainingUsages' in carry;

function readUse(work: Work, answer: Answer): Outcome | null {
  const page = readPage(answer.json);
  return page === null ? null : findUse(orderOf(work), codeOf(work), work.carry, page);
}

function lookStep(call: Call): Step {
  return {
    ...READ,
    name: 'look',
    request: (work) => (isOfUse(work) ? listOfCode(call, codeOf(work)) : listOfPair(call, orderOf(work))),
    read: (work, answer) => {
      if (isOfUse(work)) return readUse(work, answer);
      const page = readPage(answer.json);
      return page === null ? null : findNew(orderOf(work), work.carry, page);
    },
  };
}

/** The second lookup of a round. A use leaves no trace but at the coupon, which is asked once more. */
function pointsLookStep(call: Call): Step {
  const points = pointsStep(call);
  return {
    ...READ,
    name: 'look-points',
    request: (work) => (isOfUse(work) ? listOfCode(call, codeOf(work)) : points.request(work)),
    read: (work, answer) => {
      if (isOfUse(work)) return readUse(work, answer);
      const now = readPoints(answer.json);
      return now === null || isOthers(work, now.customer_id) ? null : findUnspent(work.carry, now);
    },
  };
}

/** Coupons of all customers, page after page: the list knows no days, and its order is not documented. */
function issuedStep(
  call: Call,
  name: 'list' | 'inventory',
  filter: Record<string, string>,
  stateOf: (row: CouponRow) => ProviderState,
): Step {
  return {
    ...READ,
    name,
    request: ({ params }) => {
      const cursor = typeof params.page === 'string' ? { cursor: params.page } : {};
      const query = new URLSearchParams({ ...filter, page_size: String(PAGE_SIZE), ...cursor });
      return call('GET', `/coupons/issued/?${query}`);
    },
    read: (_work, answer) => {
      const page = readPage(answer.json);
      if (page === null) return null;
      return { kind: 'done', states: page.rows.map(stateOf), data: { next: page.next } };
    },
  };
}

function probeStep(call: Call): Step {
  return {
    ...READ,
    name: 'probe',
    request: () => call('GET', '/coupons/issued/?page_size=1'),
    read: (_work, answer) => (readPage(answer.json) === null ? null : { kind: 'done' }),
  };
}

function otpSteps(call: Call): OneTimePassword {
  const session = (work: Work) => ({ kind: SESSION_FACT, key: pairOf(orderOf(work)).customerId });
  return {
    session,
    recipient: (work) => identifierOf(orderOf(work)) || null,
    request: {
      // Each one sends the customer a message.
      ...SINGLE_WRITE,
      name: 'request-otp',
      request: (work) => {
        const body: RequestOtpBody = { identifier: identifierOf(orderOf(work)) };
        return call('POST', '/auth/request-otp/', { body });
      },
      // The error list names no answer to it, so its status decides; a problem is not it, though.
      read: (_work, answer) => (isPlausible(answer) && !readError(answer).own ? { kind: 'done' } : null),
    },
    verify: {
      ...SINGLE_WRITE,
      name: 'verify-otp',
      request: (work) => {
        const { code } = work.params;
        const digits = typeof code === 'string' ? code.replace(/\s/g, '') : '';
        const body: VerifyOtpBody = { identifier: identifierOf(orderOf(work)), otp_code: digits };
        return call('POST', '/auth/verify-otp/', { body });
      },
      read: (work, answer) => {
        const opened = readSession(answer.json);
        if (opened === null) return null;
        if (isOthers(work, opened.customer_id)) {
          const message = 'this one-time password opens a session of another customer than the order names';
          return { kind: 'rejected', code: 'other_customer', message };
        }
        const value = { token: opened.otp_session };
        return {
          kind: 'done',
          facts: [{ ...session(work), value, ttlMs: SESSION_MS, secret: true }],
        };
      },
    },
  };
}

function listOfPair(call: Call, order: OrderView): HttpRequest {
  const { customerId, rewardId } = pairOf(order);
  const query = new URLSearchParams({
    customer_id: customerId,
    reward_id: rewardId,
    page_size: String(PAGE_SIZE),
  });
  return call('GET', `/coupons/issued/?${query}`);
}

function listOfCode(call: Call, code: string): HttpRequest {
  return call('GET', `/coupons/issued/?${new URLSearchParams({ code })}`);
}

/** The coupon's code: what the order is called at Zupy. */
function codeOf(work: Work): string {
  return placedAs(work, 'an order that has its coupon');
}

/** An answer that names another customer is another one's. */
function isOthers(work: Work, customerId: string | null | undefined): boolean {
  return customerId != null && customerId !== pairOf(orderOf(work)).customerId;
}
