/** What a chaos run came to, as figures and as tables. Pure. */
import { type Books, FATES, type Fate, isInOrder } from './books.js';
import type { Backend, ChaosOptions, Strike } from './plan.js';
import type { Recovery } from './recovery.js';

/** The figures of one backend. */
export interface ChaosReport {
  backend: Backend;
  seed: number;
  /** Nothing lost, doubled or unknown, everything answered and settled: exit code 0. */
  clean: boolean;
  /** `in` is the sum of the fates; `lost` is one of them, and has to be 0. */
  orders: Readonly<Record<Fate | 'in', number>>;
  doubled: number;
  unknownHere: number;
  /** Good orders that the shop was refused, with the reasons. */
  refused: readonly string[];
  /** Orders that the shop got no answer about. */
  unanswered: number;
  /** Everything that moves by itself had come to an end before the patience did. */
  settled: boolean;
  strikes: Readonly<Record<Strike['kind'], number>>;
  /** Operations that a killed process had in hand. */
  interrupted: number;
  recovery: {
    /** How many kills were followed by work that could be watched. */
    count: number;
    medianMs: number | null;
    worstMs: number | null;
    /** Kills that nothing had recovered from when the run ended. */
    unfinished: number;
  };
  /** HTTP calls to the providers, and how many of their answers were lost and found again by lookups. */
  attempts: number;
  confirmed: number;
  /** Open dead letters by their code. */
  letters: Readonly<Record<string, number>>;
  /** Processes that ended although nobody had struck them, as while PostgreSQL was away. */
  ownEnds: number;
  /** Processes that had to be killed at the end, as they did not stop in time. */
  forced: number;
  seconds: number;
  accounts: readonly Books[];
}

/** What a report is made of. */
export interface Findings
  extends Pick<
    ChaosReport,
    | 'backend'
    | 'refused'
    | 'unanswered'
    | 'settled'
    | 'strikes'
    | 'attempts'
    | 'confirmed'
    | 'letters'
    | 'ownEnds'
    | 'forced'
    | 'seconds'
    | 'accounts'
  > {
  options: ChaosOptions;
  recoveries: readonly Recovery[];
}

/** Adds up, and gives the verdict. */
export function reportOf({ options, recoveries, ...findings }: Findings): ChaosReport {
  const { accounts, settled, refused, unanswered } = findings;
  const unfinished = recoveries.filter(({ ms }) => ms === null).length;
  const fates = FATES.map((fate): [Fate, number] => [fate, sum(accounts, (books) => books[fate])]);
  const inAll = fates.reduce((all, [, count]) => all + count, 0);
  // Every fate is named by FATES.
  const orders = { in: inAll, ...Object.fromEntries(fates) } as Record<Fate | 'in', number>;
  const complete = settled && refused.length === 0 && unanswered === 0 && unfinished === 0;
  return {
    ...findings,
    seed: options.seed,
    clean: isInOrder(accounts) && complete,
    orders,
    doubled: sum(accounts, ({ doubled }) => doubled),
    unknownHere: sum(accounts, ({ unknownHere }) => unknownHere),
    interrupted: recoveries.reduce((all, { interrupted }) => all + interrupted, 0),
    recovery: { ...timesOf(recoveries.flatMap(({ ms }) => (ms === null ? [] : [ms]))), unfinished },
  };
}

function sum(accounts: readonly Books[], of: (books: Books) => number): number {
  return accounts.reduce((all, books) => all + of(books), 0);
}

function timesOf(times: readonly number[]): Omit<ChaosReport['recovery'], 'unfinished'> {
  const sorted = [...times].sort((a, b) => a - b);
  return {
    count: sorted.length,
    medianMs: sorted[Math.floor((sorted.length - 1) / 2)] ?? null,
    worstMs: sorted.at(-1) ?? null,
  };
}

/** The orders as one equation: what came in is what became of it. */
export function equation({ orders, doubled }: ChaosReport): string {
  return (
    `${orders.in} orders in = ${orders.accepted} accepted + ${orders.rejected} rejected ` +
    `+ ${orders.canceled} canceled before they were sent + ${orders.open} open ` +
    `+ ${orders.human} needing a human + ${orders.lost} lost; ${doubled} doubled`
  );
}

/** Names and values below each other. */
export function figures(report: ChaosReport): (readonly [name: string, value: string | number])[] {
  const { strikes, recovery, letters } = report;
  const lettersText = Object.entries(letters).map(([code, count]) => `${code} ${count}`);
  return [
    ['lost', report.orders.lost],
    ['doubled', report.doubled],
    ['at a provider, unknown here', report.unknownHere],
    ['kills', strikes.kill],
    ['operations that they interrupted', report.interrupted],
    ['recoveries watched', recovery.count],
    ['recovery, median', seconds(recovery.medianMs)],
    ['recovery, worst', seconds(recovery.worstMs)],
    ['recoveries unfinished', recovery.unfinished],
    ['freezes', strikes.freeze],
    ['flushes of the queue', strikes.flush],
    ['restarts of Redis', strikes['redis-restart']],
    ['restarts of PostgreSQL', strikes['database-restart']],
    ['calls to providers', report.attempts],
    ['lost answers found by lookup', report.confirmed],
    ['dead letters', lettersText.length === 0 ? 0 : lettersText.join(', ')],
    ['ended without being struck', report.ownEnds],
    ['did not stop in time at the end', report.forced],
    ['good orders refused', report.refused.length],
    ['orders without an answer', report.unanswered],
    ['all settled', report.settled ? 'yes' : 'no'],
    ['seed', report.seed],
    ['time', seconds(report.seconds * 1_000)],
  ];
}

function seconds(ms: number | null): string {
  return ms === null ? '-' : `${(ms / 1_000).toFixed(1)} s`;
}

/** The heads of the table of accounts. */
export const ACCOUNT_HEADS = [
  'ACCOUNT',
  'TAKEN',
  'ACCEPTED',
  'REJECTED',
  'CANCELED',
  'OPEN',
  'HUMAN',
  'LOST',
  'AT PROVIDER',
  'DOUBLED',
  'UNKNOWN HERE',
] as const;

/** Its rows. */
export function accountRows({ accounts }: ChaosReport): (string | number)[][] {
  return accounts.map((books) => [
    books.account,
    books.taken,
    ...FATES.map((fate) => books[fate]),
    books.atProvider,
    books.doubled,
    books.unknownHere,
  ]);
}
