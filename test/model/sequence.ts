/**
 * One sequence: processes that answer bells, a queue that is only a list, a provider, and time that passes when told
 * to. Everything between a bell and its rows is the product's own code.
 */
import type { CachedAccount } from '../../src/accounts/cache.js';
import { PRESENCE_CLASS } from '../../src/database/presence.js';
import type { Alert } from '../../src/events/alerts.js';
import type { FulfilDeps } from '../../src/fulfil/deps.js';
import { fulfil } from '../../src/fulfil/fulfil.js';
import { createHotPath } from '../../src/fulfil/hot.js';
import { poll } from '../../src/fulfil/poll.js';
import { createTokenKeeper } from '../../src/fulfil/tokens.js';
import { createGate } from '../../src/gate/gate.js';
import type { JsonObject } from '../../src/json.js';
import { watchAbsent } from '../../src/maintenance/watch.js';
import { createOperator, type Operator } from '../../src/operator.js';
import { ringDue } from '../../src/orders/store/dispatch.js';
import { startSync } from '../../src/orders/store/reads.js';
import { recoverLost } from '../../src/orders/store/recover.js';
import { providers } from '../../src/providers/registry.js';
import { seal, unseal } from '../../src/secrets.js';
import type { Time } from '../../src/time.js';
import { type Call, Calls, type Fate, THROUGH } from './calls.js';
import { House } from './house.js';
import { checkAlways, History } from './invariants.js';
import { ModelClock } from './model-clock.js';
import { ACCOUNT, type Rig } from './rig.js';
import { forgetting, type OperationRow, type OrderRow, passing, type Rows, readRows } from './rows.js';

/** A process that answers bells. */
interface Worker {
  key: number;
  frozen: boolean;
  deps: FulfilDeps;
}

/** A bell that is being answered, until it is over or one of its calls is held. */
interface Answering {
  worker: Worker;
  call: Call | null;
  work: Promise<void>;
  held: Moment;
}

/** From the stop to the start with a restored database, and for how long submits are looked for first after it, ms. */
const RESTORE_MS = 120_000;
const LOOK_FIRST_MS = 3_600_000;

/** Something that comes once. */
interface Moment {
  come: Promise<void>;
  arrive(): void;
}

function moment(): Moment {
  let arrive: () => void = () => undefined;
  const come = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  return { come, arrive };
}

/** How often the same bell goes on at once; more is a circle. */
const MOST_TURNS = 20;
/** When an unanswered bell rings again, ms. */
const AGAIN_MS = 30_000;

export class Sequence {
  readonly clock = new ModelClock();
  readonly house = new House(() => this.clock.monotonic());
  readonly calls = new Calls(this.house, this.clock);
  readonly history = new History();
  readonly alerts: Alert[] = [];
  readonly operator: Operator;
  /** As they stood after the last command. */
  rows: Rows = { orders: [], operations: [], attempts: [], letters: [], reopened: [], told: [] };
  readonly #rig: Rig;
  readonly #time: Time;
  readonly #workers: Worker[] = [];
  readonly #errors: unknown[] = [];
  #answering: Answering[] = [];

  /** Begins with nothing stored and two processes. */
  static async begin(rig: Rig): Promise<Sequence> {
    await rig.clear();
    const sequence = new Sequence(rig);
    for (const index of [0, 1]) sequence.#workers[index] = await sequence.#start();
    return sequence;
  }

  private constructor(rig: Rig) {
    this.#rig = rig;
    this.#time = { clock: this.clock, random: () => 0.5, sleep: (ms) => this.#shift(ms) };
    const { db, accounts, key } = rig.base;
    this.operator = createOperator({
      db,
      accounts,
      http: this.#honest(),
      time: this.#time,
      log: rig.log,
      key,
      providers,
      allowHttpHosts: [],
      retentionDays: 0,
      checkQueue: async () => ({ name: 'queue', state: 'ok', message: 'none', remedy: null }),
      hint: () => undefined,
    });
  }

  /** Calls that are held, oldest first; a frozen process's too. */
  get held(): Call[] {
    return this.#answering.flatMap(({ call }) => (call === null ? [] : [call]));
  }

  /** Calls that may still reach the provider. */
  get underWay(): Call[] {
    return this.calls.all.filter(({ place }) => place === 'there' || place === 'afloat');
  }

  isFrozen(worker: number): boolean {
    return this.#workers[worker]?.frozen === true;
  }

  /** Everything as it is now, held against what has to be so. @throws Violation */
  async check(): Promise<void> {
    await this.#expire();
    if (this.#errors.length > 0) throw this.#errors[0];
    this.rows = await readRows(this.#rig.base.db, ACCOUNT);
    checkAlways(this.rows, this.history, this);
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.#shift(ms);
  }

  /** The dispatcher's round: what is due is marked and rung for. @returns the operations, most urgent first */
  async dispatch(): Promise<Pick<OperationRow, 'id' | 'kind' | 'priority'>[]> {
    const rung = await ringDue(this.#rig.base.db, [{ account: ACCOUNT, jobs: 100, againMs: AGAIN_MS }], 0.5);
    return rung.sort((a, b) => a.priority - b.priority || Number(a.id) - Number(b.id));
  }

  /** A process answers whatever rings, one after the other; the first call that comes of it meets the fate. */
  async work(workerNo: number, fate: Fate): Promise<void> {
    const calls = this.calls.all.length;
    for (const operation of await this.dispatch())
      await this.answer(workerNo, operation, this.calls.all.length === calls ? fate : THROUGH);
  }

  /** A process answers a bell, until that is done or its call is held. A frozen one does not. */
  async answer(
    workerNo: number,
    operation: Pick<OperationRow, 'id' | 'kind' | 'priority'>,
    fate: Fate,
  ): Promise<void> {
    const worker = this.#workers[workerNo];
    await this.#rig.base.accounts.refresh();
    const account = this.#rig.base.accounts.get(ACCOUNT);
    if (worker === undefined || worker.frozen) return;
    if (account === null) throw new Error('the account of the model cannot be opened');
    const answering: Answering = { worker, call: null, work: Promise.resolve(), held: moment() };
    const http = this.calls.http(fate, (call) => {
      answering.call = call;
      answering.held.arrive();
    });
    answering.work = this.#turns({ ...worker.deps, http }, operation, account).then(
      () => this.#over(answering),
      (error: unknown) => {
        this.#errors.push(error);
        this.#over(answering);
      },
    );
    this.#answering.push(answering);
    await Promise.race([answering.work, answering.held.come]);
  }

  /** Something happens to a held call; its caller goes on until it is done or held again. */
  async release(call: Call, how: (calls: Calls) => void): Promise<void> {
    const answering = this.#answering.find((one) => one.call === call);
    how(this.calls);
    if (answering === undefined || call.toldAt === null) return;
    answering.call = null;
    answering.held = moment();
    await Promise.race([answering.work, answering.held.come]);
  }

  /** Whether the process that makes the call runs. */
  callerRuns(call: Call): boolean {
    return this.#answering.some((one) => one.call === call && !one.worker.frozen);
  }

  /** The process is killed: nothing of it ever comes back, though what it has sent may arrive. Another one starts. */
  async crash(workerNo: number): Promise<void> {
    const worker = this.#workers[workerNo];
    if (worker === undefined) return;
    for (const { call } of this.#answering.filter((one) => one.worker === worker))
      if (call !== null) {
        call.place = call.place === 'there' ? 'afloat' : 'over';
        call.callerGone = true;
      }
    this.#answering = this.#answering.filter((one) => one.worker !== worker);
    await this.#rig.die(worker.key);
    this.#workers[workerNo] = await this.#start();
  }

  freeze(workerNo: number): void {
    const worker = this.#workers[workerNo];
    if (worker !== undefined) worker.frozen = true;
  }

  /** It goes on where it stood: an answer that has come meanwhile is read before any timer. */
  async thaw(workerNo: number): Promise<void> {
    const worker = this.#workers[workerNo];
    if (worker === undefined) return;
    worker.frozen = false;
    await this.#rig.live(worker.key);
    for (const { call } of this.#answering.filter((one) => one.worker === worker))
      if (call !== null && call.place === 'back') await this.release(call, (calls) => calls.goOn(call));
  }

  /**
   * The connection of its sign of life breaks, and others take over what it had. A process that runs opens it again; a
   * frozen one only when it goes on.
   */
  async loseSight(workerNo: number): Promise<void> {
    const worker = this.#workers[workerNo];
    if (worker === undefined) return;
    await this.#rig.die(worker.key);
    await recoverLost(this.#rig.base.db, PRESENCE_CLASS);
    if (!worker.frozen) await this.#rig.live(worker.key);
  }

  /**
   * The database is restored from a time before this order came, two minutes after everything was stopped, and
   * `packline recover` is run.
   */
  async restoreWithout(order: OrderRow): Promise<void> {
    for (const workerNo of [0, 1]) await this.crash(workerNo);
    for (const call of this.underWay) call.place = 'over';
    await this.pass(RESTORE_MS);
    await this.#rig.run(forgetting(order.id));
    this.history.neverToBeSent.clear();
    this.history.restoredAt = this.clock.monotonic();
    await this.operator.recover({ actor: 'operator', force: true, lookFirstMs: LOOK_FIRST_MS });
  }

  /** One round of what maintenance does about operations, watches and reads. */
  async maintain(): Promise<void> {
    const { db, accounts, key } = this.#rig.base;
    await recoverLost(db, PRESENCE_CLASS);
    await accounts.refresh();
    await watchAbsent({
      db,
      accounts,
      http: this.#honest(),
      time: this.#time,
      log: this.#rig.log,
      key,
      tell: (alert) => void this.alerts.push(alert),
    });
    await startSync(db, null, null, 'schedule');
  }

  async #turns(
    deps: FulfilDeps,
    { id, kind, priority }: Pick<OperationRow, 'id' | 'kind' | 'priority'>,
    account: CachedAccount,
  ): Promise<void> {
    const bell = { operationId: id, account, priority, dueAt: this.clock.now() };
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      const { kind: end } = await (kind === 'poll' ? poll(deps, bell) : fulfil(deps, bell));
      if (end !== 'again') return;
    }
    throw new Error(`the ${kind} ${id} goes on and on`);
  }

  #over(answering: Answering): void {
    this.#answering = this.#answering.filter((one) => one !== answering);
  }

  /** Timers of the processes that run. */
  async #expire(): Promise<void> {
    for (const { call, worker } of [...this.#answering])
      if (call !== null && !worker.frozen) await this.release(call, (calls) => calls.expire(call));
  }

  async #shift(ms: number): Promise<void> {
    this.clock.pass(ms);
    await this.#rig.run(passing(ms));
  }

  #honest() {
    return this.calls.http(THROUGH, () => {
      throw new Error('a call that goes through was held');
    });
  }

  async #start(): Promise<Worker> {
    const owner = await this.#rig.live();
    const { db, accounts, key } = this.#rig.base;
    const time = this.#time;
    const shared = {
      db,
      http: this.#honest(),
      time,
      log: this.#rig.log,
      presenceClass: PRESENCE_CLASS,
      tell: (alert: Alert) => void this.alerts.push(alert),
      seal: (value: JsonObject, context: string) => seal(JSON.stringify(value), key, context),
      // Whatever opens was sealed by the line above.
      unseal: (sealed: string, context: string) => JSON.parse(unseal(sealed, key, context)) as JsonObject,
    };
    const gates = new Map<string, ReturnType<typeof createGate>>();
    const gate = (account: CachedAccount) => {
      const known =
        gates.get(account.id) ??
        createGate({ sql: db, account: account.id, limits: () => account.limits, time });
      gates.set(account.id, known);
      return known;
    };
    const deps: FulfilDeps = {
      ...shared,
      hot: createHotPath({ db, owner: () => owner, presenceClass: PRESENCE_CLASS, time }),
      accounts,
      gate,
      tokens: createTokenKeeper({ ...shared, owner: () => owner }),
      stopping: new AbortController().signal,
      abandon: new AbortController().signal,
    };
    return { key: owner, frozen: false, deps };
  }
}
