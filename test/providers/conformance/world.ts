/**
 * The core without its queue: a real database, real HTTP, and bells that a test rings by itself, one call each. So
 * a test sees what stands in the rows between any two calls, and waits for nothing.
 */
import { randomBytes } from 'node:crypto';
import { type Base, openBase } from '../../../src/app.js';
import { openPresence, PRESENCE_CLASS } from '../../../src/database/presence.js';
import type { Alert } from '../../../src/events/alerts.js';
import type { FulfilDeps, Fulfilled } from '../../../src/fulfil/deps.js';
import { fulfil } from '../../../src/fulfil/fulfil.js';
import { createGates } from '../../../src/fulfil/gates.js';
import { createHotPath } from '../../../src/fulfil/hot.js';
import { poll } from '../../../src/fulfil/poll.js';
import { createTokenKeeper } from '../../../src/fulfil/tokens.js';
import type { JsonObject } from '../../../src/json.js';
import { createLog } from '../../../src/log.js';
import type { Answer } from '../../../src/policy/answer.js';
import type { Result } from '../../../src/problem.js';
import type { Http } from '../../../src/providers/http.js';
import type { Provider } from '../../../src/providers/provider.js';
import { seal, unseal } from '../../../src/secrets.js';
import { systemTime } from '../../../src/time.js';

/** What stands in the rows about one operation, its order and its account. */
export interface Standing {
  state: string;
  step: string;
  purpose: string;
  waitReason: string | null;
  /** Budget spent, and attempt rows. */
  attempts: number;
  calls: number;
  looks: number;
  absentLooks: number;
  carry: JsonObject;
  lastOutcome: { kind: string; code: string; message: string | null } | null;
  /** Null for the reads of a whole account. */
  order: {
    status: string;
    failure: { code: string; message: string; fields?: Record<string, string[]> } | null;
    attention: string | null;
    providerOrderId: string | null;
    missingReads: number;
  } | null;
  /** Verbs whose gate is closed, `*` for all, with the reason. */
  gates: Record<string, string>;
  pause: string | null;
  letters: { code: string; ambiguous: boolean; state: string }[];
  /** Newest last. */
  tries: Try[];
}

/** One attempt row. */
export interface Try {
  step: string;
  purpose: string;
  report: string | null;
  verdict: string | null;
  outcome: string | null;
  rule: string | null;
  httpStatus: number | null;
  evidence: JsonObject | null;
}

export interface World {
  base: Base;
  db: Base['db'];
  /** The alerts about an account so far. */
  alertsOf(account: string): Alert[];
  apply(entry: object): Promise<void>;
  /** Stores an order; it must be taken. */
  send(body: JsonObject): Promise<string>;
  /** The newest operation of a kind of an order. */
  operation(orderId: string, kind: string): Promise<string>;
  /** The read of all open orders of an account, begun now. */
  sync(account: string): Promise<string>;
  /** Makes the operation due and answers its bell: one call at most. */
  ring(operationId: string): Promise<Fulfilled>;
  /** The same, by a bell that says something else than its row. */
  ringAs(operationId: string, bell: { account?: string; kind?: string }): Promise<Fulfilled>;
  /** Lets the closures of the account's gates run out, as time does. */
  waitOver(account: string): Promise<void>;
  /** Opens gates and ends pauses, as time and people do. */
  openDoors(account: string): Promise<void>;
  standing(operationId: string): Promise<Standing>;
  /** The last answer that came from a server. */
  heard(url: string): Answer;
  close(): Promise<void>;
}

const STANDING = `
select o.state, o.step, o.purpose, o.wait_reason as "waitReason", o.attempts, o.calls, o.looks, o.absent_looks as "absentLooks",
  o.carry, o.last_outcome as "lastOutcome",
  case when d.id is null then null else jsonb_build_object('status', d.status, 'failure', d.failure,
    'attention', d.attention_code, 'providerOrderId', d.provider_order_id, 'missingReads', d.missing_reads) end as "order",
  (select coalesce(jsonb_object_agg(g.verb, g.blocked_why), '{}') from packline.gates g
    where g.account_id = o.account_id and g.blocked_until > now()) as gates,
  (select a.pause_code from packline.accounts a where a.id = o.account_id) as pause,
  (select coalesce(jsonb_agg(jsonb_build_object('code', l.code, 'ambiguous', l.ambiguous, 'state', l.state) order by l.id), '[]')
    from packline.dead_letters l where l.operation_id = o.id) as letters,
  (select coalesce(jsonb_agg(jsonb_build_object('step', t.step, 'purpose', t.purpose, 'report', t.report, 'verdict', t.verdict,
    'outcome', t.outcome, 'rule', t.rule, 'httpStatus', t.http_status, 'evidence', t.evidence) order by t.id), '[]')
    from packline.attempts t where t.operation_id = o.id) as tries
from packline.operations o left join packline.orders d on d.id = o.order_id where o.id = $1::bigint`;

export interface WorldOptions {
  databaseUrl: string;
  /** Where the database is empty. */
  migrate?: boolean;
  /** The registry's unless others are tried. */
  providers?: readonly Provider[];
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const time = systemTime;
  const log = createLog('silent');
  const base = await openBase({
    config: {
      databaseUrl: options.databaseUrl,
      redisUrl: null,
      port: 0,
      host: '127.0.0.1',
      apiKey: randomBytes(24).toString('hex'),
      encryptionKey: randomBytes(32),
      accountsFile: null,
      dataDir: '/nowhere',
      logLevel: 'silent',
      alertWebhookUrl: null,
      slackWebhookUrl: null,
      eventsWebhook: null,
      allowHttpHosts: [],
      retentionDays: 0,
    },
    log,
    time,
    purpose: 'client',
    migrate: options.migrate ?? false,
    ...(options.providers === undefined ? {} : { providers: options.providers }),
    name: 'packline conformance',
  });
  const presence = await openPresence(base.url, {
    applicationName: 'packline conformance',
    time,
    log: () => undefined,
  });
  const alerts: Alert[] = [];
  const answers = new Map<string, Answer>();
  const http: Http = {
    ...base.http,
    call: async (request, limits) => {
      const result = await base.http.call(request, limits);
      if (result.kind === 'answered') answers.set(new URL(request.url).origin, result);
      return result;
    },
  };
  const shared = {
    db: base.db,
    http,
    time,
    log,
    presenceClass: PRESENCE_CLASS,
    tell: (alert: Alert) => void alerts.push(alert),
    seal: (value: JsonObject, context: string) => seal(JSON.stringify(value), base.key, context),
    // Whatever opens was sealed by the line above.
    unseal: (sealed: string, context: string) => JSON.parse(unseal(sealed, base.key, context)) as JsonObject,
  };
  const owner = () => presence.key;
  const deps: FulfilDeps = {
    ...shared,
    hot: createHotPath({ db: base.db, owner, presenceClass: PRESENCE_CLASS, time }),
    accounts: base.accounts,
    gate: createGates({ ...shared, accounts: base.accounts }),
    tokens: createTokenKeeper({ ...shared, owner }),
    stopping: new AbortController().signal,
    abandon: new AbortController().signal,
  };
  return {
    ...verbsOf(base, deps),
    db: base.db,
    base,
    alertsOf: (account) => alerts.filter((one) => one.account === account),
    heard(url) {
      const answer = answers.get(new URL(url).origin);
      if (answer === undefined) throw new Error(`nothing was heard from ${url}`);
      return answer;
    },
    async close() {
      await presence.close();
      await base.close();
    },
  };
}

function verbsOf(base: Base, deps: FulfilDeps): Omit<World, 'base' | 'db' | 'alertsOf' | 'heard' | 'close'> {
  const { db, operator, accounts } = base;
  const ringAs: World['ringAs'] = async (operationId, bell) => {
    const [row] = await db.query<{ account: string; kind: string; priority: number }>(
      `update packline.operations set due_at = least(due_at, now()) where id = $1::bigint
       returning account_id as account, kind, priority`,
      operationId,
    );
    const account = accounts.get(bell.account ?? row?.account ?? '');
    if (row === undefined || account === null) throw new Error(`operation ${operationId} is of no account`);
    const rung = { operationId, account, priority: row.priority, dueAt: deps.time.clock.now() };
    return (bell.kind ?? row.kind) === 'poll' ? poll(deps, rung) : fulfil(deps, rung);
  };
  return {
    ringAs,
    ring: (operationId) => ringAs(operationId, {}),
    async apply(entry) {
      // As an accounts file has it: undefined fields are left out on the way.
      const file: unknown = JSON.parse(JSON.stringify({ accounts: [entry] }));
      taken(await operator.applyAccounts(file, {}));
    },
    async send(body) {
      const { order } = taken(await operator.submit(body, { actor: 'shop' }));
      if (order === null) throw new Error('the order was validated and not stored');
      return order.id;
    },
    async operation(orderId, kind) {
      const [row] = await db.query<{ id: string }>(
        `select id::text as id from packline.operations where order_id = $1::uuid and kind = $2::packline.operation_kind order by operations.id desc limit 1`,
        orderId,
        kind,
      );
      if (row === undefined) throw new Error(`order ${orderId} has no ${kind}`);
      return row.id;
    },
    async sync(account) {
      const [started] = taken(await operator.sync({ account }, 'shop')).accounts;
      if (started === undefined) throw new Error(`account ${account} has nothing to read`);
      return started.operationId;
    },
    async waitOver(account) {
      await db.query(
        `update packline.gates set blocked_until = now() where account_id = $1 and blocked_until > now()`,
        account,
      );
    },
    async openDoors(account) {
      await db.query(
        `update packline.gates set blocked_until = null, blocked_why = null, strikes = 0 where account_id = $1`,
        account,
      );
      await operator.resumeAccount(account, 'operator');
    },
    async standing(operationId) {
      const [row] = await db.query<Standing>(STANDING, operationId);
      if (row === undefined) throw new Error(`there is no operation ${operationId}`);
      return row;
    },
  };
}

/** The value of a verb that has to go through. */
export function taken<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.problem));
  return result.value;
}
