/** Every process of a packline, killed while orders come in, and started again as a supervisor does. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { jest } from '@jest/globals';
import { connect, type Database } from '../../src/database/connect.js';
import { freePort } from '../../src/database/embedded/processes.js';
import { ALIVE_KEYS_SQL } from '../../src/database/presence.js';
import { systemTime } from '../../src/time.js';
import { BACKENDS, type Backend, createStage } from '../helpers/packline.js';
import { type Program, startWorker } from '../helpers/program.js';
import { startSimulator } from '../helpers/simulator.js';
import { temporaryFolder } from '../helpers/temporary.js';
import { until } from '../helpers/until.js';
import { compare } from './compare.js';
import { LOOK_MS, ledgerOf, PATIENCE_MS } from './shop.js';
import { startShopper } from './shopper.js';

// With many rounds on a busy machine.
jest.setTimeout(600_000);

type Role = Parameters<typeof startWorker>[0];

const ROLES: readonly Role[] = ['api', 'dispatcher', 'fulfilment', 'maintenance'];
/** Who is killed together: without a lost worker there would be nothing that the maintenance has to recover. */
const KILLED: readonly (readonly Role[])[] = [['dispatcher'], ['maintenance', 'fulfilment'], ['api']];
const ALL = process.env.PACKLINE_TEST_ALL === '1';
const ROUNDS = ALL ? 5 : 1;
/** What is killed has little to do with where the queue lives; `packline chaos` kills on both in every run. */
const TRIED: readonly Backend[] = ALL ? BACKENDS : ['redis'];
/** After a kill -9, until what was interrupted has been taken over and other orders go on, ms. */
const RECOVERY_MS = 15_000;
const READY = /"event":"process.ready"/;
const ACCOUNT = 'shop';

const worst = new Map<string, number>();
const closers: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closers.reverse()) await close();
  const lines = [...worst].map(([killed, ms]) => `${killed} ${Math.round(ms)} ms`);
  console.log(`worst recovery of ${ROUNDS} after kill -9: ${lines.join(', ')}`);
});

/** A packline of four processes with one account, each of which can be killed and started again. */
async function fourProcesses(backend: Backend) {
  const stage = await createStage(backend);
  closers.push(() => stage.remove());
  const folder = await temporaryFolder('chaos');
  closers.push(() => folder.remove());
  const simulator = await startSimulator();
  closers.push(() => simulator.stop());
  const troubles: Error[] = [];
  const db = await connect({
    url: stage.config.databaseUrl ?? '',
    max: 2,
    applicationName: 'chaos',
    onError: (error) => void troubles.push(error),
  });
  closers.push(() => db.close());
  const accounts = path.join(folder.path, 'accounts.json');
  const account = simulator.account(ACCOUNT, { config: { requestTimeoutMs: 2_000 } });
  await writeFile(accounts, JSON.stringify({ accounts: [account] }));
  const port = await freePort(null);
  const running = new Map<Role, Program>();
  const begin = async (role: Role) => {
    const more = role === 'api' ? { PORT: String(port), PACKLINE_ACCOUNTS: accounts } : {};
    const program = startWorker(role, { ...stage.env, ...more });
    running.set(role, program);
    await program.line(READY, PATIENCE_MS);
  };
  await Promise.all(ROLES.map(begin));
  return {
    db,
    simulator,
    url: `http://127.0.0.1:${port}`,
    /** Kills them and starts them again. */
    kill: async (roles: readonly Role[]) => {
      for (const role of roles) running.get(role)?.kill('SIGKILL');
      await Promise.all(roles.map(begin));
    },
    /** Tells all of them to stop. */
    stop: async () => {
      for (const program of running.values()) program.kill('SIGTERM');
      for (const program of running.values()) expect(await program.ended).toEqual({ code: 0, signal: null });
      expect(troubles).toEqual([]);
    },
  };
}

const RECOVERED = `
with alive as materialized (${ALIVE_KEYS_SQL})
select not exists (select 1 from packline.operations o where o.state = 'running' and o.owner not in (select key from alive))
  and exists (select 1 from packline.attempts a join packline.orders d on d.id = a.order_id
    where d.created_at > $1::timestamptz and a.owner in (select key from alive)) as yes`;

/** From now until nothing that was interrupted is `running` and an order that came since is being called, ms. */
async function recovery(db: Database): Promise<number> {
  const started = systemTime.clock.monotonic();
  const [now] = await db.query<{ at: string }>('select now()::text as at');
  const recovered = async () => (await db.query<{ yes: boolean }>(RECOVERED, now?.at ?? ''))[0]?.yes;
  await until('a later order is being called', recovered, PATIENCE_MS, LOOK_MS);
  return systemTime.clock.monotonic() - started;
}

const OPEN = `
select count(*)::int as n from packline.operations
where kind <> 'poll' and state not in ('succeeded', 'rejected', 'dead', 'canceled')`;

test.concurrent.each(TRIED)(
  'whichever process is killed while orders come in, they go on within seconds, each exactly once (%s)',
  async (backend) => {
    const packline = await fourProcesses(backend);
    const { db, simulator } = packline;
    // Calls that last, so that some are under way at any moment.
    await simulator.fault({ match: { verb: 'submit' }, times: 100_000, do: { delayMs: 300 } });
    const shopper = startShopper(packline.url, ACCOUNT);
    closers.push(async () => shopper.giveUp());
    const called = async () => (await simulator.calls('submit')).length > 5;
    await until('orders are on their way', called, PATIENCE_MS, LOOK_MS);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const roles of KILLED) {
        const [, recoveryMs] = await Promise.all([packline.kill(roles), recovery(db)]);
        const name = `${roles.join(' and ')} (${backend})`;
        worst.set(name, Math.max(recoveryMs, worst.get(name) ?? 0));
        expect(recoveryMs).toBeLessThan(RECOVERY_MS);
      }
    }
    await shopper.stop();
    expect(shopper.unanswered()).toBeGreaterThan(0);
    const none = async () => (await db.query<{ n: number }>(OPEN))[0]?.n === 0;
    await until('all orders have ended', none, PATIENCE_MS, LOOK_MS);
    const [orders] = await db.query<{ n: number }>('select count(*)::int as n from packline.orders');
    expect(orders?.n).toBe(shopper.taken.length);
    const comparison = await compare({
      query: (sql, ...values) => db.query(sql, ...values),
      ledgers: async () => new Map([[ACCOUNT, await ledgerOf(simulator)]]),
    });
    expect(comparison).toEqual({
      lost: [],
      doubled: [],
      running: [],
      unaccounted: [],
      acceptedTwice: [],
      askedOften: [],
    });
    await packline.stop();
  },
);
