/** The verbs about accounts, providers and syncs. */
import { applyAccounts } from '../accounts/apply.js';
import { parseAccountsFile } from '../accounts/file.js';
import { pauseAccount, resumeAccount } from '../accounts/pause.js';
import { closeBreaker } from '../gate/breaker-row.js';
import { tryNow } from '../gate/closures.js';
import type { Operator } from '../operator.js';
import { accountFacts } from '../orders/store/queries.js';
import { remainingReads } from '../orders/store/read-pages.js';
import { startSync } from '../orders/store/reads.js';
import { waitsOf } from '../orders/store/waits.js';
import { GENERAL_RULES } from '../policy/classify.js';
import { outcomeMessage } from '../policy/outcome.js';
import { type PolicyRule, type ProviderPolicy, WAIT_INTERVAL_MS } from '../policy/policy.js';
import { type Backoff, describeSchedule } from '../policy/schedule.js';
import { ok, problem, type Result, refused } from '../problem.js';
import type { AccountJson, BackoffJson, PolicyRuleJson } from '../views.js';
import type { OperatorDeps } from './deps.js';
import { readOnce } from './read-once.js';
import { accountJson, waitJson } from './views.js';

type AccountVerbs = Pick<
  Operator,
  | 'listAccounts'
  | 'getAccount'
  | 'pauseAccount'
  | 'resumeAccount'
  | 'checkAccount'
  | 'applyAccounts'
  | 'explainProvider'
  | 'sync'
  | 'syncProgress'
>;

export function accountVerbs(deps: OperatorDeps): AccountVerbs {
  const { db, accounts } = deps;

  const load = async (id: string): Promise<Result<AccountJson>> => {
    const [row] = await accountFacts(db.prisma, id);
    return row === undefined
      ? refused('not-found', `there is no account ${id.slice(0, 100)}`)
      : ok(accountJson(row, accounts.get(id)));
  };

  return {
    async listAccounts() {
      return {
        accounts: (await accountFacts(db.prisma, null)).map((row) => accountJson(row, accounts.get(row.id))),
      };
    },
    async getAccount(id) {
      const found = await load(id);
      if (!found.ok) return found;
      const limits = accounts.get(id)?.limits ?? null;
      const now = deps.time.clock.now();
      const waits = (await waitsOf(db, id)).map((group) => waitJson(group, limits, now));
      return ok({ ...found.value, waits });
    },

    async pauseAccount(id, { actor, reason, until }) {
      await pauseAccount(db, id, { code: 'operator', reason, by: actor, until: until ?? null });
      await accounts.refresh();
      return load(id);
    },

    async resumeAccount(id, actor) {
      const resumed = await resumeAccount(db, id, actor);
      const closed = await closeBreaker(db, id, actor);
      if ((await tryNow(db, id)) || resumed || closed) deps.hint();
      await accounts.refresh();
      return load(id);
    },

    async checkAccount(id) {
      const account = accounts.get(id);
      if (account === null) return refused('not-found', `there is no usable account ${id.slice(0, 100)}`);
      const outcome = await readOnce(deps, account, account.open.reads.probe, null);
      const passed = outcome.kind === 'done' || outcome.kind === 'observed';
      return ok({ account: id, ok: passed, outcome: outcome.kind, message: outcomeMessage(outcome) });
    },

    async applyAccounts(file, env) {
      const parsed = parseAccountsFile(file, env, {
        providers: deps.providers,
        allowHttpHosts: deps.allowHttpHosts,
      });
      if (!parsed.ok)
        return {
          ok: false,
          problem: problem('invalid', 'the accounts file has mistakes; nothing was applied', parsed.problems),
        };
      const changes = await applyAccounts(db, parsed.accounts, deps.key);
      if (!changes.ok) return changes;
      await accounts.refresh();
      return ok({ accounts: changes.value });
    },

    explainProvider(id) {
      const provider = deps.providers.find((each) => each.id === id);
      if (provider === undefined)
        return refused(
          'not-found',
          `there is no provider ${id.slice(0, 100)}; there are ${deps.providers.map((each) => each.id).join(', ')}`,
        );
      const { policy } = provider;
      const rules = [...policy.rules, ...GENERAL_RULES].map((rule) => ruleJson(rule, policy));
      return ok({ provider: id, rules });
    },

    async sync({ account }, actor) {
      if (account !== undefined && accounts.get(account) === null)
        return refused('not-found', `there is no account ${account.slice(0, 100)}`);
      const [clock] = await db.query<{ now: string }>(
        `select to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
      );
      const before = clock?.now ?? null;
      const started = await startSync(db, account ?? null, before, actor);
      deps.hint();
      const parts = started.map(async ({ id, account: name }) => ({
        account: name,
        operationId: id,
        orders: await remainingReads(db, name, before),
      }));
      return ok({ accounts: await Promise.all(parts) });
    },

    async syncProgress(operationIds) {
      const rows = await db.prisma.operation.findMany({
        where: { id: { in: operationIds.filter((id) => /^\d{1,18}$/.test(id)).map(BigInt) } },
      });
      return Promise.all(
        rows.map(async (row) => {
          const params = row.params;
          const before =
            typeof params === 'object' &&
            params !== null &&
            !Array.isArray(params) &&
            typeof params.before === 'string'
              ? params.before
              : null;
          const over = ['succeeded', 'rejected', 'dead', 'canceled'].includes(row.state);
          return {
            operationId: String(row.id),
            account: row.accountId,
            state: row.state,
            remaining: over ? 0 : await remainingReads(db, row.accountId, before),
          };
        }),
      );
    },
  };
}

/** A policy rule as the API shows it, with its schedule in words of numbers. */
/** Outcomes that are the account's matter, whoever's call drew them. */
const OF_ACCOUNT: readonly PolicyRule['outcome'][] = ['throttled', 'blocked'];
/** Outcomes after which a step that may be repeated is. */
const REPEATED: readonly PolicyRule['outcome'][] = ['failed', 'unknown'];

function ruleJson(rule: PolicyRule, policy: ProviderPolicy): PolicyRuleJson {
  const { id, status, outcome, wait, meaning, source, evidence } = rule;
  const attempts = REPEATED.includes(outcome) ? (rule.attempts ?? policy.attempts) : null;
  const backoff =
    attempts !== null ? (rule.backoff ?? policy.backoff) : outcome === 'throttled' ? policy.throttle : null;
  return {
    id,
    status: typeof status === 'number' ? status : [...status],
    code: rule.code ?? null,
    steps: rule.steps === undefined ? null : [...rule.steps],
    outcome,
    scope: wait?.scope ?? (OF_ACCOUNT.includes(outcome) ? 'account' : 'order'),
    wait:
      wait === undefined
        ? null
        : {
            reason: wait.reason,
            everyMs: WAIT_INTERVAL_MS[wait.reason],
            deadlineMs: policy.deadlines[wait.reason],
          },
    block: rule.block ?? null,
    attempts,
    backoff: backoff === null ? null : backoffJson(backoff),
    schedule: attempts === null || backoff === null ? null : describeSchedule(backoff, attempts - 1),
    alert: rule.alert ?? false,
    meaning,
    source,
    evidence,
  };
}

function backoffJson({ baseMs, capMs, floorMs, jitter }: Backoff): BackoffJson {
  return { baseMs, capMs, floorMs, jitter };
}
