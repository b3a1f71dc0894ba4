import { Console } from 'node:console';
import { PassThrough } from 'node:stream';
import type { JobsOptions } from 'bullmq';
import { jobOptions, KEPT_JOBS, PRIORITY } from '../../src/policy/job-options.js';
import type { OutcomeKind } from '../../src/policy/outcome.js';
import { openAccount } from '../providers/gelato-connect/fixtures.js';
import { OPERATION_OF, TABLE, type TableStep } from './decision-table.js';
import { decided, factsOf, type Turn } from './decision-words.js';

const account = openAccount({ activateUrl: 'https://api.example.com/v4/orders/{id}' });
const { policy } = account;

const CASES = TABLE.flatMap(({ name, outcome, cells }) =>
  cells.flatMap(([steps, first, last]) => steps.map((step) => ({ name, outcome, step, first, last }))),
);

function optionsOf(step: TableStep, turn: Turn, backend: 'redis' | 'postgres') {
  const { kind } = OPERATION_OF[step];
  return jobOptions(
    {
      operationId: '42',
      kind,
      priority: PRIORITY[step === 'look' ? 'confirm' : kind],
      ringNo: turn === 'first' ? 1 : 7,
      attempts: factsOf(step, turn, policy).attempts,
    },
    policy,
    backend,
  );
}

/** The name of the backoff strategy that the queue is told to use. */
function backoffType({ backoff }: JobsOptions): string | undefined {
  return typeof backoff === 'object' ? backoff.type : undefined;
}

describe('the decision table of GelatoConnect', () => {
  test('is printed for people', () => {
    const rows = CASES.map(({ name, outcome, step }) => {
      const [first, last] = [optionsOf(step, 'first', 'redis'), optionsOf(step, 'last', 'redis')];
      return {
        outcome: name,
        step,
        jobs: `${first.jobId}, priority ${first.priority}, backoff ${backoffType(first)}`,
        attempts: `${first.attempts}, ${last.attempts}`,
        'first attempt': decided(outcome, step, 'first', policy),
        'last attempt': decided(outcome, step, 'last', policy),
      };
    });
    const lines: string[] = [];
    const stream = new PassThrough().on('data', (chunk) => lines.push(String(chunk)));
    new Console(stream).table(rows);
    process.stdout.write(lines.join(''));
    expect(rows).toHaveLength(CASES.length);
  });

  test('has a row for every outcome there is', () => {
    const kinds: Record<OutcomeKind, true> = {
      accepted: true,
      observed: true,
      done: true,
      rejected: true,
      missing: true,
      settled: true,
      failed: true,
      throttled: true,
      blocked: true,
      waiting: true,
      gone: true,
      unknown: true,
      notSent: true,
      interrupted: true,
    };
    expect(new Set(TABLE.map(({ outcome }) => outcome.kind))).toEqual(new Set(Object.keys(kinds)));
  });

  test('has one cell for every step of the account in every row, and one for a check', () => {
    const { verbs, reads } = account;
    const names = [...Object.values(verbs).flat(), reads.get, reads.look, reads.list?.step].map(
      (step) => step?.name,
    );
    for (const { name } of TABLE) {
      const steps = CASES.filter((cell) => cell.name === name).map(({ step }) => step);
      expect([...steps].sort()).toEqual([...names, 'check'].sort());
    }
  });

  test.each(CASES)('$name, at $step: at first it $first', ({ outcome, step, first }) => {
    expect(decided(outcome, step, 'first', policy)).toBe(first);
  });

  test.each(CASES)('$name, at $step: in the end it $last', ({ outcome, step, last }) => {
    expect(decided(outcome, step, 'last', policy)).toBe(last);
  });
});

describe('the job options of every step', () => {
  const EXPECTED: Record<TableStep, { priority: number; jobIds: [string, string] }> = {
    cancel: { priority: 1, jobIds: ['cancel-42-1', 'cancel-42-7'] },
    check: { priority: 1, jobIds: ['cancel-42-1', 'cancel-42-7'] },
    look: { priority: 2, jobIds: ['submit-42-1', 'submit-42-7'] },
    activate: { priority: 3, jobIds: ['activate-42-1', 'activate-42-7'] },
    update: { priority: 4, jobIds: ['update-42-1', 'update-42-7'] },
    submit: { priority: 5, jobIds: ['submit-42-1', 'submit-42-7'] },
    get: { priority: 6, jobIds: ['poll-42-1', 'poll-42-7'] },
    search: { priority: 6, jobIds: ['poll-42-1', 'poll-42-7'] },
  };
  // The keys of a literal record are its type's own.
  const STEPS = Object.keys(EXPECTED) as TableStep[];

  test.each(STEPS)('%s on Redis keeps the last thousand finished jobs for operators', (step) => {
    const { priority, jobIds } = EXPECTED[step];
    const kept = { removeOnComplete: { count: KEPT_JOBS }, removeOnFail: { count: KEPT_JOBS } };
    expect(KEPT_JOBS).toBe(1_000);
    expect(optionsOf(step, 'first', 'redis')).toEqual({
      jobId: jobIds[0],
      priority,
      attempts: 6,
      backoff: { type: 'policy' },
      ...kept,
    });
    expect(optionsOf(step, 'last', 'redis')).toEqual({
      jobId: jobIds[1],
      priority,
      attempts: 1,
      backoff: { type: 'policy' },
      ...kept,
    });
  });

  test.each(STEPS)('%s on PostgreSQL keeps no job by count, which would run some twice', (step) => {
    const { priority, jobIds } = EXPECTED[step];
    expect(optionsOf(step, 'first', 'postgres')).toEqual({
      jobId: jobIds[0],
      priority,
      attempts: 6,
      backoff: { type: 'policy' },
      removeOnComplete: true,
      removeOnFail: true,
    });
  });
});
