/** What one case plays on: a database and a queue of its own, accounts at simulators of their own, and their orders. */
import { request } from 'undici';
import type { Point } from '../../src/fulfil/points.js';
import type { JsonObject } from '../../src/json.js';
import type { LedgerRequest } from '../../src/simulator/control.js';
import type { AccountFileEntry, LedgerOrder, Simulator } from '../../src/simulator/kit.js';
import type { OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { createStage, startPackline, type TestPackline } from '../helpers/packline.js';
import { type Program, startSource } from '../helpers/program.js';
import type { Subject } from '../providers/conformance/subject.js';
import { send as control } from '../providers/conformance/walk.js';
import { type Case, type Loss, type Place, passingOf, subjectOf } from './table.js';

/** How long a call may take: short, since it is a part of the lease of a frozen process. */
export const REQUEST_TIMEOUT_MS = 2_000;
/** Orders of each account that stand nowhere in particular when the process is lost. */
const BESIDE = 2;
/** Between two looks at something; many cases look at once. */
export const LOOK_MS = 100;
/** For anything that comes by itself, on a machine that is busy with a dozen other cases. */
export const PATIENCE_MS = 60_000;
/** Longer than any case. */
const HIDDEN_MS = 600_000;

/** Where the process is to hold an operation: at so many passings of a point. */
export interface Hold {
  operationId: string;
  point: Point;
  passing: number;
}

/** An order that stands somewhere when its process is lost. */
export interface Standing extends Hold {
  place: Place;
}

/** A provider's order as its ledger has it; coupons are known by their code (providers/zupy/README.md). */
export type Listed = LedgerOrder & { code?: string };

export interface Ledger {
  orders: Listed[];
  requests: LedgerRequest[];
}

export interface Shop {
  /** In the order of the case's places. */
  standing: Standing[];
  /** Stores one more order, of the first account. */
  send(): Promise<OrderJson>;
  /** Starts the process that will be lost. */
  victim(): Program;
  /** Starts a healthy worker, in this process. */
  takeOver(): Promise<void>;
  /** What the simulators hold, by account. */
  ledgers(): Promise<Map<string, Ledger>>;
  query<Row>(sql: string, ...values: string[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** Opens a shop whose orders wait for a worker. */
export async function openShop(kase: Case): Promise<Shop> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return { ...(await open(kase, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  { loss, backend, places }: Case,
  closers: (() => Promise<void>)[],
): Promise<Omit<Shop, 'close'>> {
  const stage = await createStage(backend);
  closers.push(() => stage.remove());
  // Everything but fulfilment.
  const front = await startPackline(stage, ['api', 'dispatcher', 'maintenance']);
  closers.push(() => front.stop());
  const accounts = new Map<string, Account>();
  for (const provider of new Set(places.map((place) => place.provider))) {
    const account = await openAccount(front, provider, places.length);
    closers.push(() => account.simulator.close());
    accounts.set(provider, account);
  }
  const accountOf = (provider: string) => {
    const found = accounts.get(provider);
    if (found === undefined) throw new Error(`there is no account at ${provider}`);
    return found;
  };
  const standing: Standing[] = [];
  for (const place of places) {
    const { send, simulator } = accountOf(place.provider);
    const order = await send();
    await conceal(loss, place, simulator, order);
    standing.push({
      place,
      point: place.point,
      passing: passingOf(place),
      operationId: operation(order, 'submit').id,
    });
  }
  for (const { send } of accounts.values()) for (let n = 0; n < BESIDE; n += 1) await send();
  return {
    standing,
    send: accountOf(places[0]?.provider ?? '').send,
    victim: () =>
      startSource('test/chaos/worker.ts', [JSON.stringify(standing), loss], {
        ...stage.env,
        LOG_LEVEL: 'debug',
      }),
    takeOver: async () => {
      const healthy = await startPackline(stage, ['fulfilment']);
      closers.push(() => healthy.stop());
    },
    ledgers: async () => {
      const read = [...accounts].map(async ([id, { simulator }]) => [id, await ledgerOf(simulator)] as const);
      return new Map(await Promise.all(read));
    },
    query: (sql, ...values) => front.running.base.db.query(sql, ...values),
  };
}

interface Account {
  simulator: Simulator;
  send(): Promise<OrderJson>;
}

/** An account that is called like its provider. */
async function openAccount(front: TestPackline, provider: string, places: number): Promise<Account> {
  const subject = subjectOf(provider);
  const simulator = await subject.start();
  await front.apply([quick(subject, simulator.account(provider), places + BESIDE)]);
  let nth = 0;
  return {
    simulator,
    send: async () => {
      nth += 1;
      const body: JsonObject = await subject.body({ simulator, account: provider, nth });
      return front.expecting<OrderJson>(201, 'POST', '/v1/orders', body);
    },
  };
}

function quick(subject: Subject, entry: AccountFileEntry, concurrency: number): object {
  // An entry of the accounts file, as the subject has changed it.
  const { config, ...rest } = (subject.entry?.(entry) ?? entry) as AccountFileEntry;
  return {
    ...rest,
    config: {
      ...config,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      confirm: { graceMs: 300, looks: 2, spacingMs: 300 },
    },
    // The documented pace is not what is tried here, and orders that stand still must not keep others out.
    limits: { requests: 1_000, perMs: 1_000, concurrency },
  };
}

/** A frozen process alone knows that its order was taken: no lookup shows it before it wakes. */
async function conceal(
  loss: Loss,
  { point, provider }: Place,
  simulator: Simulator,
  order: OrderJson,
): Promise<void> {
  if (loss !== 'SIGSTOP' || point !== 'answer.read') return;
  // What Zupy calls a redeem by (simulator/zupy/coupon-routes.ts); the body is the subject's own.
  const reference =
    provider === 'zupy' ? (order.customer as { id?: string } | undefined)?.id : order.reference;
  await control(simulator, 'POST', '/_control', {
    match: { verb: 'submit', reference },
    times: 1,
    do: { hideMs: HIDDEN_MS },
  });
}

/** What a simulator holds. */
export async function ledgerOf(simulator: Pick<Simulator, 'url'>): Promise<Ledger> {
  const answer = await request(`${simulator.url}/_ledger`);
  // What the ledger holds is declared by the server itself (simulator/kit.ts).
  return (await answer.body.json()) as Ledger;
}

const LOST = /^lost (\d+)$/m;

/** Waits until the process is lost; when that was, epoch ms. */
export async function lost(victim: Program): Promise<number> {
  const [, at] = await victim.line(LOST, PATIENCE_MS);
  return Number(at);
}
