/** `doctor`: how this installation is, and what to do about it. */
import { identityKnown, identityTrouble } from '../database/identity.js';
import { PRESENCE_CLASS, presenceRoles } from '../database/presence.js';
import { auditAccount } from '../maintenance/audit.js';
import { checkInvariants } from '../maintenance/invariants.js';
import type { Operator } from '../operator.js';
import { livingProcesses, workStanding } from '../orders/store/health.js';
import { type AccountFacts, accountFacts } from '../orders/store/queries.js';
import { ok, refused } from '../problem.js';
import type { AuditJson, CheckJson } from '../views.js';
import type { OperatorDeps } from './deps.js';

/** What is due for so long is no backlog of a moment, ms. */
const LATE_MS = 15 * 60_000;
const MINUTE_MS = 60_000;

/** Without these, no order goes out. */
const NEEDED = ['dispatcher', 'fulfilment', 'maintenance'] as const;
const COMMANDS: Record<(typeof NEEDED)[number], string> = {
  dispatcher: 'packline dispatch',
  fulfilment: 'packline work',
  maintenance: 'packline maintain',
};

const well = (name: string, message: string): CheckJson => ({ name, state: 'ok', message, remedy: null });

/** See the module's comment. */
export function doctorVerbs(deps: OperatorDeps): Pick<Operator, 'doctor'> {
  return {
    async doctor({ actor, invariants, audit }) {
      await deps.accounts.refresh();
      const rows = await accountFacts(deps.db.prisma, null);
      if (audit?.account !== undefined && rows.every(({ id }) => id !== audit.account))
        return refused('not-found', `there is no account ${audit.account.slice(0, 100)}`);
      const checks = [
        await identity(deps),
        await deps.checkQueue(),
        await processes(deps),
        ...(await accounts(deps, rows)),
        ...(await work(deps)),
      ];
      const found = invariants ? await checkInvariants(deps.db, 'whole') : null;
      const audits = audit === null ? null : await auditAll(deps, actor, audit);
      const healthy =
        checks.every(({ state }) => state !== 'failed') &&
        (found ?? []).every(({ count }) => count === 0) &&
        (audits ?? []).every(({ clean }) => clean);
      return ok({ healthy, checks, invariants: found, audits });
    },
  };
}

async function identity({ db }: OperatorDeps): Promise<CheckJson> {
  const trouble = await identityTrouble(db);
  if (trouble !== null)
    return {
      name: 'identity',
      state: 'failed',
      message: trouble,
      remedy: 'Run "packline recover"; see its --help.',
    };
  if (await identityKnown(db)) return well('identity', 'this database is the one that packline knows');
  return {
    name: 'identity',
    state: 'warning',
    message: 'this role may not read pg_control_system(): a restored or copied database will not be noticed',
    remedy: 'GRANT EXECUTE ON FUNCTION pg_control_system() to the role of DATABASE_URL.',
  };
}

async function processes({ db }: OperatorDeps): Promise<CheckJson> {
  const living = (await livingProcesses(db, PRESENCE_CLASS)).map(presenceRoles);
  const missing = NEEDED.filter((role) => !living.some((roles) => roles.includes(role)));
  const message = `${living.length} ${living.length === 1 ? 'process runs' : 'processes run'}: ${
    living.map((roles) => roles.join(', ')).join('; ') || 'none'
  }`;
  if (missing.length === 0) return well('processes', message);
  return {
    name: 'processes',
    state: 'warning',
    message: `${message}; nobody has the role ${missing.join(', ')}`,
    remedy: `Start "packline up", or ${missing.map((role) => `"${COMMANDS[role]}"`).join(', ')}.`,
  };
}

async function accounts(deps: OperatorDeps, rows: readonly AccountFacts[]): Promise<CheckJson[]> {
  if (rows.length === 0)
    return [
      {
        name: 'accounts',
        state: 'warning',
        message: 'there are none',
        remedy: 'Write an accounts file, and run "packline accounts apply".',
      },
    ];
  return rows.map((row) => accountCheck(deps, row));
}

function accountCheck({ accounts: open }: OperatorDeps, row: AccountFacts): CheckJson {
  const name = `account ${row.id}`;
  if (open.get(row.id) === null)
    return {
      name,
      state: 'failed',
      message: `${row.provider}: it cannot be opened, and nothing of it is sent`,
      remedy:
        'See the log (account.unusable): mend its configuration with "packline accounts apply", or set the PACKLINE_ENCRYPTION_KEY that its credentials were sealed with.',
    };
  if (row.pauseCode !== null)
    return {
      name,
      state: 'warning',
      message: `${row.provider}: paused, ${row.pauseCode}: ${row.pauseReason ?? ''}`,
      remedy: `Mend that, then run "packline accounts resume ${row.id}".`,
    };
  if (row.blocked)
    return {
      name,
      state: 'warning',
      message: `${row.provider}: its gate is closed until ${row.blockedUntil?.toISOString() ?? 'later'} (${row.blockedWhy ?? 'unknown'})`,
      remedy: 'Nothing: it opens by itself.',
    };
  if (row.breaker !== null && row.breaker.openedAt !== null)
    return {
      name,
      state: 'warning',
      message: `${row.provider}: most of its calls failed, and its breaker is open`,
      remedy: `Nothing: one call tries from time to time. Once the provider is well, "packline accounts resume ${row.id}" goes on at once.`,
    };
  return well(name, `${row.provider}: open, ${row.queued + row.running} at work, ${row.waiting} waiting`);
}

async function work({ db }: OperatorDeps): Promise<CheckJson[]> {
  const { letters, attention, unconfirmed, lateMs } = await workStanding(db);
  const late =
    lateMs === 0
      ? 'nothing is due'
      : `the oldest due operation has waited for ${Math.floor(lateMs / MINUTE_MS)} min`;
  return [
    lateMs < LATE_MS
      ? well('due work', `${late}; ${unconfirmed} calls are being looked up`)
      : {
          name: 'due work',
          state: 'warning',
          message: late,
          remedy:
            'See whether "packline dispatch" and "packline work" run; if they do, the limits of an account hold up a backlog ("packline accounts list").',
        },
    letters === 0
      ? well('dead letters', 'none is open')
      : {
          name: 'dead letters',
          state: 'warning',
          message: `${letters} open: these orders stand still until a person decides`,
          remedy: 'See "packline dead-letters list"; replay, adopt or discard each.',
        },
    attention === 0
      ? well('attention', 'no order asks for it')
      : {
          name: 'attention',
          state: 'warning',
          message: `${attention} orders ask for it`,
          remedy: 'See "packline orders list --attention any".',
        },
  ];
}

/** One account after the other: each at its own slow pace. */
async function auditAll(
  deps: OperatorDeps,
  actor: string,
  { account, days }: { account?: string | undefined; days: number },
): Promise<AuditJson[]> {
  const reports: AuditJson[] = [];
  for (const each of deps.accounts.all()) {
    if (account !== undefined && each.id !== account) continue;
    // The person is being told; the daily audit tells everybody else.
    reports.push(await auditAccount({ ...deps, tell: () => undefined }, each, actor, days));
  }
  return reports;
}
