/** One call on behalf of an operator, mostly a read: no operation, no retry; through the account's gate. */
import type { CachedAccount } from '../accounts/cache.js';
import { PRESENCE_CLASS } from '../database/presence.js';
import { evidenceOf } from '../fulfil/evidence.js';
import { accessTokenOf } from '../fulfil/tokens.js';
import { closeGate } from '../gate/closures.js';
import { createGate } from '../gate/gate.js';
import type { JsonObject } from '../json.js';
import type { OrderBody } from '../orders/body.js';
import { providerReference } from '../orders/order.js';
import type { OrderRow } from '../orders/store/queries.js';
import type { Evidence } from '../orders/store/settle.js';
import { type Classified, classify } from '../policy/classify.js';
import { decide } from '../policy/decide.js';
import type { Outcome } from '../policy/outcome.js';
import type { Step, Work } from '../providers/provider.js';
import { unseal } from '../secrets.js';
import type { OperatorDeps } from './deps.js';

/** How long such a call may wait to be sent, ms. */
const SEND_WITHIN_MS = 5_000;

type Deps = Pick<OperatorDeps, 'db' | 'http' | 'time' | 'key' | 'meter'>;

interface About {
  row: OrderRow;
  providerOrderId: string;
  /** What earlier steps of the operation left, where the step needs it. */
  carry?: JsonObject;
}

/** Reads something; what came of it. */
export async function readOnce(
  deps: Deps,
  account: CachedAccount,
  step: Step,
  about: About | null,
): Promise<Outcome> {
  return (await askOnce(deps, account, step, about)).outcome;
}

/** An account's balance, a decimal string; null where the provider tells none, or did not answer. */
export async function readBalance(deps: Deps, account: CachedAccount | null): Promise<string | null> {
  const step = account?.open.reads.balance;
  if (account === null || step === undefined) return null;
  const outcome = await readOnce(deps, account, step, null);
  const balance = outcome.kind === 'done' ? outcome.data?.balance : undefined;
  return typeof balance === 'string' ? balance : null;
}

/** Makes the call of a step; what came of it, and what of it is kept where a row stands for the call. */
export async function askOnce(
  deps: Deps,
  account: CachedAccount,
  step: Step,
  about: About | null,
  params: JsonObject = {},
): Promise<{ outcome: Outcome; evidence: Evidence }> {
  const { clock } = deps.time;
  const work = await workFor(deps, account, about, params);
  const request = step.request(work);
  const gate = createGate({
    sql: deps.db,
    account: account.id,
    limits: () => account.limits,
    time: deps.time,
  });
  const permit = await gate.acquire({ priority: 0, dueAt: clock.now(), passes: true });
  if (!permit.granted) {
    const message = `the account's gate is closed for another ${Math.ceil(permit.retryMs / 1_000)} s`;
    const closed = { kind: 'notSent', code: 'gate_closed', message } as const;
    return {
      outcome: closed,
      evidence: evidenceOf(step.name, request, closed, { outcome: closed, rule: null }, 0, false),
    };
  }
  const started = clock.monotonic();
  const result = await deps.http.call(request, {
    sendBy: { monotonic: started + SEND_WITHIN_MS, wall: clock.now() + SEND_WITHIN_MS },
    timeoutMs: account.common.requestTimeoutMs,
  });
  const durationMs = clock.monotonic() - started;
  const facts = { name: step.name, repeatable: true, writes: false };
  const { readError, statusOf } = account.open;
  const classified = classify(
    result,
    facts,
    account.policy,
    (answer) => step.read(work, answer),
    readError,
    statusOf,
  );
  deps.meter?.attempted({
    account: account.id,
    provider: account.provider.id,
    verb: 'ask',
    outcome: classified.outcome.kind,
    durationMs: result.kind === 'notSent' ? null : durationMs,
  });
  await heed(deps, account, classified);
  return {
    outcome: classified.outcome,
    evidence: evidenceOf(step.name, request, result, classified, durationMs, false),
  };
}

/** Whoever draws a 429, all calls of the account stand still. */
async function heed(
  { db, time }: Deps,
  account: CachedAccount,
  { outcome, rule }: Classified,
): Promise<void> {
  if (outcome.kind !== 'throttled') return;
  const read = {
    kind: 'poll',
    purpose: 'call',
    attempts: 0,
    calls: 0,
    strikes: 0,
    deadline: null,
    hasNextStep: false,
    repeatable: true,
    checked: null,
  } as const;
  const { gate } = decide(outcome, read, account.policy, rule, time.clock.now(), time.random);
  if (gate !== undefined) await closeGate(db, account.id, gate);
}

async function workFor(
  deps: Deps,
  account: CachedAccount,
  about: About | null,
  params: JsonObject,
): Promise<Work> {
  const accessToken = await accessTokenOf(
    {
      db: deps.db,
      presenceClass: PRESENCE_CLASS,
      // Only a refresh seals under such a context, and it seals an object.
      unseal: (sealed, context) => JSON.parse(unseal(sealed, deps.key, context)) as JsonObject,
    },
    account,
  );
  return {
    params,
    carry: about?.carry ?? {},
    ...(accessToken !== null && { accessToken }),
    ...(about !== null && { order: viewOf(account, about) }),
  };
}

/** The order as an adapter's steps see it. */
export function viewOf(account: CachedAccount, { row, providerOrderId }: About): NonNullable<Work['order']> {
  return {
    id: row.id,
    reference: row.reference,
    generation: row.generation,
    providerReference: providerReference(row.reference, row.generation, account.common.referencePrefix),
    // The column holds what intake validated and nothing else writes it.
    body: row.body as unknown as OrderBody,
    providerOrderId,
    providerData: {},
    createdAt: row.createdAt,
  };
}
