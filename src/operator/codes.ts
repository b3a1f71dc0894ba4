/** The verbs about secrets: codes that a provider handed out, and one-time passwords. */
import type { CachedAccount } from '../accounts/cache.js';
import { json } from '../database/connect.js';
import { deliverableContext, factContext } from '../fulfil/gains.js';
import type { Operator } from '../operator.js';
import { beginOtpCall } from '../orders/store/otp.js';
import { findOrder, type OrderRow } from '../orders/store/queries.js';
import { endSideCall } from '../orders/store/side-calls.js';
import { type Outcome, outcomeCode } from '../policy/outcome.js';
import { ok, type Result, refused } from '../problem.js';
import type { OneTimePassword } from '../providers/provider.js';
import { scrub } from '../redact.js';
import { seal, unseal } from '../secrets.js';
import type { OperatorDeps } from './deps.js';
import { askOnce, viewOf } from './read-once.js';
import { orderJson } from './views.js';

type CodeVerbs = Pick<Operator, 'deliverables' | 'supplyOtp'>;

const REVEALED = `
insert into packline.events (type, account_id, order_id, reference, actor, data)
select 'deliverables.revealed', d.account_id, d.id, d.reference, $2, $3::jsonb from packline.orders d where d.id = $1::uuid`;

const RESUME_OTP = `
update packline.operations set state = 'pending', wait_reason = null, due_at = now(), ring_at = now(), updated_at = now(),
  carry = carry - 'otpRequested'
where order_id = $1::uuid and state = 'waiting' and wait_reason = 'otp' returning id`;

const KEEP_FACT = `
insert into packline.provider_facts (account_id, kind, key, sealed, expires_at, updated_at)
values ($1, $2, $3, $4, now() + $5::float8 * interval '1 ms', now())
on conflict (account_id, kind, key) do update set sealed = excluded.sealed, value = null, expires_at = excluded.expires_at, updated_at = now()`;

const ASKED = `
insert into packline.events (type, account_id, order_id, reference, actor)
select 'otp.' || $2::text, d.account_id, d.id, d.reference, $3 from packline.orders d where d.id = $1::uuid`;

export function codeVerbs(deps: OperatorDeps): CodeVerbs {
  const { db } = deps;
  return {
    async deliverables(orderId, actor) {
      const row = await findOrder(db.prisma, orderId);
      if (row === null) return refused('not-found', `there is no order ${orderId.slice(0, 60)}`);
      const codes = await db.prisma.deliverable.findMany({
        where: { orderId: row.id, generation: row.generation },
        orderBy: { position: 'asc' },
      });
      const opened = codes.map(({ position, sku, sealed, expiresAt }) => {
        const { code, serial } = openCode(
          unseal(sealed, deps.key, deliverableContext(row.id, row.generation, position)),
        );
        return { sku, code, serial, expiresAt: expiresAt?.toISOString() ?? null };
      });
      // Before the codes leave the house: who saw them is known, whatever happens to the answer.
      await db.query(REVEALED, row.id, actor, json({ count: opened.length }));
      return ok({ deliverables: opened });
    },

    async supplyOtp(orderId, { actor, ...given }) {
      const row = await findOrder(db.prisma, orderId);
      if (row === null) return refused('not-found', `there is no order ${orderId.slice(0, 60)}`);
      const account = deps.accounts.get(row.accountId);
      if (account?.open.otp === undefined)
        return refused('not-possible', 'this provider asks for no one-time password');
      if (!row.operations.some(({ state, waitReason }) => state === 'waiting' && waitReason === 'otp')) {
        return refused('not-possible', 'nothing of this order waits for a one-time password');
      }
      const outcome = await call(deps, account, account.open.otp, row, given);
      if (outcome === null)
        return refused(
          'not-possible',
          'the order names nobody to send a code to; correct it with options.otpIdentifier',
        );
      if (outcome.kind !== 'done') return otpProblem(outcome);
      await keepSession(deps, account, outcome);
      if ('code' in given) await db.query(RESUME_OTP, row.id);
      await db.query(ASKED, row.id, 'code' in given ? 'verified' : 'requested', actor);
      deps.hint();
      const after = await findOrder(db.prisma, row.id);
      return after === null
        ? refused('not-found', `there is no order ${orderId}`)
        : ok(orderJson(after, deps.time.clock.now()));
    },
  };
}

function openCode(sealed: string): { code: string; serial: string | null } {
  const opened: { code?: unknown; serial?: unknown } = JSON.parse(sealed);
  return { code: String(opened.code), serial: typeof opened.serial === 'string' ? opened.serial : null };
}

/** Makes the call, with a row of its own; null where the order names nobody to send a code to. */
async function call(
  deps: OperatorDeps,
  account: CachedAccount,
  otp: OneTimePassword,
  row: OrderRow,
  given: { code: string } | { resend: true },
): Promise<Outcome | null> {
  const about = { row, providerOrderId: row.providerOrderId ?? '' };
  if (otp.recipient({ order: viewOf(account, about), params: {}, carry: {} }) === null) return null;
  const [step, params] = 'code' in given ? [otp.verify, { code: given.code }] : [otp.request, {}];
  const attempt = await beginOtpCall(deps.db, row.id, step.name, account.common.requestTimeoutMs);
  const { outcome, evidence } = await askOnce(deps, account, step, about, params);
  if (attempt !== null) await endSideCall(deps.db, attempt, evidence);
  return outcome;
}

function otpProblem(outcome: Outcome): Result<never> {
  const wrong = (detail: string) =>
    refused('invalid', 'see errors', [{ pointer: '/code', code: 'invalid', detail }]);
  if (outcome.kind === 'waiting')
    return wrong(
      'the provider says that this code is wrong or too old; ask for another with {"resend": true}',
    );
  // The adapter's or the provider's own words say more, such as that the code is another customer's.
  if (outcome.kind === 'rejected') return wrong(`the code was refused: ${scrub(outcome.message)}`);
  return refused(
    'not-available',
    `the provider could not be asked just now: ${outcome.kind} (${outcomeCode(outcome)}); try again`,
  );
}

async function keepSession(
  { db, key }: OperatorDeps,
  account: CachedAccount,
  outcome: Extract<Outcome, { kind: 'done' }>,
): Promise<void> {
  for (const fact of outcome.facts ?? []) {
    if (fact.value === null) continue;
    const sealed = seal(JSON.stringify(fact.value), key, factContext(account.id, fact.kind, fact.key));
    await db.query(KEEP_FACT, account.id, fact.kind, fact.key, sealed, fact.ttlMs ?? null);
  }
}
