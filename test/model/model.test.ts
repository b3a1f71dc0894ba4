/**
 * The model: random interleavings of everything that can happen to orders, held against what packline promises. Where
 * one fails, fast-check prints the shrunk commands with their seed and path.
 */
import fc from 'fast-check';
import { anyCommand, fates, submitFirst } from './commands.js';
import { rest } from './rest.js';
import { openRig, type Rig } from './rig.js';
import { Sequence } from './sequence.js';

const ALL = process.env.PACKLINE_TEST_ALL === '1';
/** In an ordinary run the same sequences each time, so that it fails for what was changed and not by chance. */
const RUNS = ALL ? { numRuns: 2_000 } : { numRuns: 500, seed: 20_261_120 };
/** What fast-check printed, to run one sequence again: `{"seed": …, "path": "…", "replayPath": "…"}`. */
const { replayPath, ...replay }: { seed?: number; path?: string; replayPath?: string } = JSON.parse(
  process.env.PACKLINE_TEST_REPLAY ?? '{}',
);
const MOST_COMMANDS = 20;
/** Many times what a run takes on an idle machine, ms. */
const DEADLINE_MS = ALL ? 3_600_000 : 900_000;

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

/** Without these the sequences would not come near what the model is for. */
const TURNS = [
  'operation.unconfirmed',
  'operation.recovered',
  'operation.dead',
  'operation.waiting',
  'operation.check',
  'submit.absent',
  'submit.late',
  'order.canceled',
  'order.corrected',
  'order.activated',
  'order.status_changed',
  'dead_letter.replayed',
  'dead_letter.adopted',
  'dead_letter.discarded',
];

test(
  'whatever happens in whatever order, no order is submitted twice and none is lost',
  async () => {
    const met = new Map<string, number>();
    const sequences = fc.commands([anyCommand], {
      maxCommands: MOST_COMMANDS,
      size: 'max',
      ...(replayPath === undefined ? {} : { replayPath }),
    });
    // Most begin with a submit that is on its way, since that is where it gets hard.
    const first = fc.record({ activate: fc.boolean(), fate: fc.option(fates, { freq: 4 }) });
    const holds = fc.asyncProperty(first, fc.noBias(sequences), async ({ activate, fate }, commands) => {
      const sequence = await Sequence.begin(rig);
      await submitFirst(sequence, activate);
      if (fate !== null) await sequence.work(0, fate);
      await sequence.check();
      await fc.asyncModelRun(() => ({ model: sequence, real: sequence }), commands);
      await rest(sequence);
      for (const type of sequence.rows.told) met.set(type, (met.get(type) ?? 0) + 1);
    });
    await fc.assert(holds, { ...RUNS, ...replay });
    expect(replay.path === undefined ? TURNS.filter((type) => !met.has(type)) : []).toEqual([]);
  },
  DEADLINE_MS,
);
