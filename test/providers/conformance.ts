/**
 * The conformance suite: what every adapter has to do, against its simulator, over real HTTP and with the real rows.
 * It walks the provider's policy table row by row; a row that nothing can meet fails.
 */
import { findProvider } from '../../src/providers/registry.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import {
  boundsItsEvidence,
  keepsItsWords,
  ODD_ANSWERS,
  readsAnything,
  survivesLostAnswers,
  takesOddAnswers,
} from './conformance/behaviour.js';
import { type Cases, casesOf } from './conformance/cases.js';
import { walkRow } from './conformance/row.js';
import type { Subject } from './conformance/subject.js';
import { openScene } from './conformance/walk.js';
import { openWorld, type World } from './conformance/world.js';

/** A row at every step makes some hundred calls; the processors are shared. */
const ROW_MS = 60_000;

/**
 * Runs the suite. To be called once by a test file of each provider.
 * @param subjects accounts of every kind that the provider has; a row has to be met by one of them
 */
export function conformance(...subjects: readonly [Subject, ...Subject[]]): void {
  const [{ id: provider }] = subjects;
  const rules = findProvider(provider)?.policy.rules ?? [];
  let database: TestDatabase;
  let world: World;
  let cases: Map<Subject, Cases[]>;

  /** Steps at which each row was met. */
  const coverage = new Map<string, number>();
  const steps = () => [...coverage.values()].reduce((sum, met) => sum + met, 0);

  beforeAll(async () => {
    database = await createDatabase();
    world = await openWorld({ databaseUrl: database.url });
    cases = new Map();
    for (const subject of subjects) cases.set(subject, await enumerate(world, subject));
  });

  afterAll(async () => {
    await world.close();
    await database.drop();
    process.stdout.write(
      `${provider}: ${coverage.size} of ${rules.length} rows walked, ${steps()} rows × steps\n`,
    );
  });

  describe.each(subjects.map((subject) => [subject.mode ?? subject.id, subject] as const))(
    '%s',
    (_mode, subject) => {
      test.concurrent.each(ODD_ANSWERS)(
        '%s for an answer comes to an outcome by rule, at every step',
        (_what, told) => takesOddAnswers(world, subject, told),
        ROW_MS,
      );

      test.concurrent(
        'an order whose answer was lost is there once, whether it was taken or not',
        () => survivesLostAnswers(world, subject),
        ROW_MS,
      );

      test.concurrent('a refusal keeps its words, and the corrected order goes out', () =>
        keepsItsWords(world, subject));

      test.concurrent('an error of any shape is read, and throws nothing', () =>
        readsAnything(world, subject));

      test.concurrent('evidence is bounded, and holds neither keys nor the customer', () =>
        boundsItsEvidence(world, subject));
    },
  );

  describe('a row of the policy table', () => {
    test('is of a provider that has some', () => {
      expect(rules.length).toBeGreaterThan(0);
    });

    test.concurrent.each(rules.map(({ id }) => id))(
      '%s is handled as it says, at each of its steps',
      async (id) => {
        for (const [subject, rows] of cases) {
          const row = rows.find(({ rule }) => rule.id === id);
          if (row === undefined) throw new Error(`${id} was not enumerated`);
          const met = await walkRow(world, subject, row);
          if (met > 0) coverage.set(id, (coverage.get(id) ?? 0) + met);
        }
        expect(coverage.get(id)).toBeGreaterThan(0);
      },
      ROW_MS,
    );
  });
}

/** The table's cases, of an account as an accounts file brings it in. */
async function enumerate(world: World, subject: Subject): Promise<Cases[]> {
  const simulator = await subject.start();
  try {
    const { account } = await openScene(world, subject, simulator);
    const open = world.base.accounts.get(account)?.open;
    if (open === undefined) throw new Error(`account ${account} cannot be opened`);
    return casesOf(subject, open);
  } finally {
    await simulator.close();
  }
}
