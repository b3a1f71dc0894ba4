/** One read of a provider on behalf of an operator: no operation, no retry; through the account's gate. */
import type { CachedAccount } from '../accounts/cache.js';
import { PRESENCE_CLASS } from '../database/presence.js';
import { accessTokenOf } from '../fulfil/tokens.js';
import { createGate } from '../gate/gate.js';
import type { JsonObject } from '../json.js';
import type { OrderBody } from '../orders/body.js';
import { providerReference } from '../orders/order.js';
import type { OrderRow } from '../orders/store/queries.js';
import { classify } from '../policy/classify.js';
import type { Outcome } from '../policy/outcome.js';
import type { Step, Work } from '../providers/provider.js';
import { unseal } from '../secrets.js';
import type { OperatorDeps } from './deps.js';

/** How long such a read may wait to be sent, ms. */
const SEND_WITHIN_MS = 5_000;

export async function readOnce(
  deps: Pick<OperatorDeps, 'db' | 'http' | 'time' | 'key'>,
  account: CachedAccount,
  step: Step,
  about: { row: OrderRow; providerOrderId: string } | null,
  params: JsonObject = {},
): Promise<Outcome> {
  const { clock } = deps.time;
  const gate = createGate({
    sql: deps.db,
    account: account.id,
    limits: () => account.limits,
    time: deps.time,
  });
  const permit = await gate.acquire({ priority: 0, dueAt: clock.now() });
  if (!permit.granted) {
    return {
      kind: 'notSent',
      code: 'gate_closed',
      message: `the account's gate is closed for another ${Math.ceil(permit.retryMs / 1_000)} s`,
    };
  }
  const accessToken = await accessTokenOf(
    {
      db: deps.db,
      presenceClass: PRESENCE_CLASS,
      // Only a refresh seals under such a context, and it seals an object.
      unseal: (sealed, context) => JSON.parse(unseal(sealed, deps.key, context)) as JsonObject,
    },
    account,
  );
  const work: Work = {
    params,
    carry: {},
    ...(accessToken !== null && { accessToken }),
    ...(about !== null && { order: viewOf(account, about) }),
  };
  const result = await deps.http.call(step.request(work), {
    sendBy: { monotonic: clock.monotonic() + SEND_WITHIN_MS, wall: clock.now() + SEND_WITHIN_MS },
    timeoutMs: account.common.requestTimeoutMs,
  });
  const facts = { name: step.name, repeatable: true, writes: false };
  const { readError, statusOf } = account.open;
  return classify(result, facts, account.policy, (answer) => step.read(work, answer), readError, statusOf)
    .outcome;
}

function viewOf(
  account: CachedAccount,
  { row, providerOrderId }: { row: OrderRow; providerOrderId: string },
): NonNullable<Work['order']> {
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
