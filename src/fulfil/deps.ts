/** What fulfilment works with, and the words that its rooms share. */
import type { Logger } from 'pino';
import type { AccountCache, CachedAccount } from '../accounts/cache.js';
import type { Database } from '../database/connect.js';
import type { Alert } from '../events/alerts.js';
import type { Gate } from '../gate/gate.js';
import type { JsonObject } from '../json.js';
import { type Meter, type Verb, verbOf } from '../metrics/meter.js';
import { providerReference } from '../orders/order.js';
import { type Claim, SEND_BY_MS } from '../orders/store/claim.js';
import { findFacts } from '../orders/store/facts.js';
import type { HttpResult } from '../policy/answer.js';
import { limitOf } from '../policy/classify.js';
import type { OutcomeKind } from '../policy/outcome.js';
import type { Http } from '../providers/http.js';
import type { HttpRequest, Step, Work } from '../providers/provider.js';
import type { Time } from '../time.js';
import { factContext } from './gains.js';
import type { HotPath } from './hot.js';
import { asBug } from './learn.js';
import type { At } from './points.js';
import type { CurrentToken, TokenKeeper } from './tokens.js';

export interface FulfilDeps {
  db: Database;
  hot: HotPath;
  accounts: AccountCache;
  gate(account: CachedAccount): Gate;
  http: Http;
  time: Time;
  log: Logger;
  presenceClass: number;
  tell(alert: Alert): void;
  tokens: TokenKeeper;
  /** Seals and opens what is kept secret, bound to its place. */
  seal(value: JsonObject, context: string): string;
  unseal(sealed: string, context: string): JsonObject;
  /** Aborts when the process begins to stop: no new call starts. */
  stopping: AbortSignal;
  /** Aborts when the stop's deadline has come: calls in flight are given up as unknown. */
  abandon: AbortSignal;
  at?: At;
  /** Counts what is done. */
  meter?: Meter;
}

/** What became of one bell. `again` when the same operation can go on at once (its next step). */
export type Fulfilled =
  | { kind: 'done'; what: string }
  | { kind: 'again' }
  | { kind: 'retry'; delayMs: number; why: string }
  | { kind: 'dead'; why: string };

export interface Bell {
  operationId: string;
  account: CachedAccount;
  priority: number;
  /** Since when it is due, epoch ms. */
  dueAt: number;
}

/** One attempt that was made, with everything that judging it takes. */
export interface Call {
  account: CachedAccount;
  claim: Claim;
  step: Step;
  work: Work;
  request: HttpRequest;
  result: HttpResult;
  durationMs: number;
  asked: { monotonic: number; wall: number };
  token: CurrentToken | null;
}

/** What the steps of an adapter work on. */
export function workOf(account: CachedAccount, claim: Pick<Claim, 'order' | 'params' | 'carry'>): Work {
  const { order, params, carry } = claim;
  if (order === null) return { params, carry };
  const { createdAt, ...rest } = order;
  return {
    params,
    carry,
    order: {
      ...rest,
      createdAt: new Date(createdAt),
      providerReference: providerReference(order.reference, order.generation, account.common.referencePrefix),
    },
  };
}

/** What a call needs beside its work, and what never stands in a row unsealed. */
export interface Keys {
  token: CurrentToken | null;
  session: JsonObject | null;
}

/** Fetches the account's current token and the order's session, where the provider has such. @throws Bug */
export async function keysOf(
  deps: FulfilDeps,
  account: CachedAccount,
  work: () => Promise<Work | null>,
): Promise<Keys> {
  const token = await deps.tokens.current(account);
  const { otp } = account.open;
  const about = otp === undefined ? null : await work();
  const place = otp === undefined || about === null ? null : asBug(() => otp.session(about));
  if (place === null) return { token, session: null };
  const [row] = await findFacts(deps.db, account.id, [place]);
  const sealed = row?.sealed ?? null;
  const session =
    sealed === null ? null : asBug(() => deps.unseal(sealed, factContext(account.id, place.kind, place.key)));
  return { token, session };
}

/** Makes the one request of a step. @throws Bug where the request cannot be built */
export async function callOnce(
  deps: Pick<FulfilDeps, 'http' | 'time' | 'abandon' | 'at' | 'gate'>,
  account: CachedAccount,
  claim: Claim,
  { step, work }: { step: Step; work: Work },
  asked: { monotonic: number; wall: number },
  keys: Keys,
): Promise<Call> {
  const { token, session } = keys;
  const request = asBug(() =>
    step.request({
      ...work,
      ...(token === null ? {} : { accessToken: token.accessToken }),
      ...(session === null ? {} : { session }),
    }),
  );
  const { at } = deps;
  const started = deps.time.clock.monotonic();
  const result = await deps.http.call(request, {
    sendBy: { monotonic: asked.monotonic + SEND_BY_MS, wall: asked.wall + SEND_BY_MS },
    timeoutMs: account.common.requestTimeoutMs,
    signal: deps.abandon,
    ...(at === undefined ? {} : { beforeWrite: () => void at('socket.write', claim.operationId) }),
  });
  await at?.('answer.read', claim.operationId);
  const durationMs = deps.time.clock.monotonic() - started;
  if (result.kind === 'answered') heedLimit(deps, account, result);
  return { account, claim, step, work, request, result, durationMs, asked, token };
}

/** Whatever the answer is about, its headers say what is left for the next calls. */
function heedLimit(
  { gate }: Pick<FulfilDeps, 'gate'>,
  account: CachedAccount,
  answer: HttpResult & { kind: 'answered' },
): void {
  const reading = limitOf(answer, account.policy);
  if (reading?.remaining === undefined || reading.resetAt === undefined) return;
  gate(account).see({
    limit: reading.limit ?? null,
    remaining: reading.remaining,
    resetAt: reading.resetAt,
  });
}

/** Counts a call once it was judged. @param verb what it was for, where no claim says so */
export function count(
  { meter }: Pick<FulfilDeps, 'meter'>,
  { account, claim, result, durationMs }: Pick<Call, 'account' | 'claim' | 'result' | 'durationMs'>,
  outcome: OutcomeKind,
  verb: Verb = verbOf(claim),
): void {
  meter?.attempted({
    account: account.id,
    provider: account.provider.id,
    verb,
    outcome,
    durationMs: result.kind === 'notSent' ? null : durationMs,
  });
}
