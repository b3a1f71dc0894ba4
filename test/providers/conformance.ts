/**
 * The conformance suite: what every adapter has to do, against its simulator, over real HTTP and with the real rows.
 * It walks the provider's policy table row by row; a row that nothing can meet fails.
 */
import type { Provider } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/registry.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import {
  believesNoOthers,
  boundsItsEvidence,
  disbelievesProxies,
  keepsItsWords,
  ODD_ANSWERS,
  readsAnything,
  survivesLostAnswers,
  takesOddAnswers,
} from './conformance/behaviour.js';
import { type Coverage, openCoverage } from './conformance/coverage.js';
import type { Subject } from './conformance/subject.js';
import { openWorld, type World } from './conformance/world.js';

/** A row at every step makes some hundred calls; the processors are shared. */
const ROW_MS = 60_000;

/**
 * Runs the suite. To be called once by a test file of each provider.
 * @param subjects accounts of every kind that the provider has; a row has to be met by one of them
 */
export function conformance(...subjects: readonly [Subject, ...Subject[]]): void {
  conformanceOf(providers, ...subjects);
}

/** The same for a registry that is not packline's own. */
export function conformanceOf(
  registry: readonly Provider[],
  ...subjects: readonly [Subject, ...Subject[]]
): void {
  const [{ id: provider }] = subjects;
  const rules = registry.find(({ id }) => id === provider)?.policy.rules ?? [];
  let database: TestDatabase;
  let world: World;
  let coverage: Coverage;

  beforeAll(async () => {
    database = await createDatabase();
    world = await openWorld({ databaseUrl: database.url, providers: registry });
    coverage = await openCoverage(world, subjects);
  });

  afterAll(async () => {
    const { rows, steps } = coverage.count();
    process.stdout.write(`${provider}: ${rows} of ${rules.length} rows walked, ${steps} rows × steps\n`);
    await world.close();
    await database.drop();
  });

  describe.each(subjects.map((subject) => [subject.mode ?? subject.id, subject] as const))(
    '%s',
    (_mode, subject) => {
      test.concurrent.each(ODD_ANSWERS)(
        '%s for an answer comes to an outcome by rule',
        (_what, told) => takesOddAnswers(world, subject, told),
        ROW_MS,
      );

      test.concurrent(
        'an order whose answer was lost is there once, whether it was taken or not',
        () => survivesLostAnswers(world, subject),
        ROW_MS,
      );

      test.concurrent(
        'an answer about another order is not believed',
        () => believesNoOthers(world, subject),
        ROW_MS,
      );

      test.concurrent("a 404 that is not the provider's own proves nothing", () =>
        disbelievesProxies(world, subject));

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
      '%s is handled as it says, at its steps',
      async (id) => {
        expect(await coverage.walk(id)).toBeGreaterThan(0);
      },
      ROW_MS,
    );
  });
}
