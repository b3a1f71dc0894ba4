/** The verbs about accounts, providers and syncs. */
import { applyAccounts } from '../accounts/apply.js';
import { parseAccountsFile } from '../accounts/file.js';
import { pauseAccount, resumeAccount } from '../accounts/pause.js';
import type { JsonObject } from '../json.js';
import type { Operator } from '../operator.js';
import { accountFacts } from '../orders/store/queries.js';
import { remainingReads, startSync } from '../orders/store/reads.js';
import { GENERAL_RULES } from '../policy/classify.js';
import { outcomeMessage } from '../policy/outcome.js';
import type { PolicyRule } from '../policy/policy.js';
import { describeSchedule } from '../policy/schedule.js';
import { ok, problem, type Result, refused } from '../problem.js';
import type { AccountJson } from '../views.js';
import type { OperatorDeps } from './deps.js';
import { readOnce } from './read-once.js';
import { accountJson } from './views.js';

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
    getAccount: load,

    async pauseAccount(id, { actor, reason, until }) {
      await pauseAccount(db, id, { code: 'operator', reason, by: actor, until: until ?? null });
      await accounts.refresh();
      return load(id);
    },

    async resumeAccount(id, actor) {
      if (await resumeAccount(db, id, actor)) deps.hint();
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
      const rules = [...policy.rules, ...GENERAL_RULES].map((rule) => ruleJson(rule, policy.attempts));
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
function ruleJson(rule: PolicyRule, attempts: number): JsonObject {
  const budget = rule.attempts ?? attempts;
  return {
    id: rule.id,
    status: typeof rule.status === 'number' ? rule.status : [...rule.status],
    code: rule.code ?? null,
    steps: rule.steps === undefined ? null : [...rule.steps],
    outcome: rule.outcome,
    wait: rule.wait ?? null,
    block: rule.block ?? null,
    attempts: budget,
    schedule:
      rule.backoff === undefined
        ? null
        : describeSchedule(rule.backoff, budget - 1).map((row): JsonObject => ({ ...row })),
    alert: rule.alert ?? false,
    meaning: rule.meaning,
    source: rule.source,
    evidence: rule.evidence,
  };
}
