/** Which rows of a provider's table have been walked, and at how many steps. */
import { type Cases, casesOf } from './cases.js';
import { walkRow } from './row.js';
import type { Subject } from './subject.js';
import { openScene } from './walk.js';
import type { World } from './world.js';

export interface Coverage {
  /** Walks one row at each step that it rules, at accounts of every kind. @returns at how many steps */
  walk(rule: string): Promise<number>;
  /** Rows that a step has met, and all their steps. */
  count(): { rows: number; steps: number };
}

/** @param subjects accounts of every kind that the provider has; a row has to be met by one of them */
export async function openCoverage(world: World, subjects: readonly Subject[]): Promise<Coverage> {
  const tables = new Map<Subject, Cases[]>();
  for (const subject of subjects) tables.set(subject, await enumerate(world, subject));
  const met = new Map<string, number>();
  return {
    async walk(id) {
      let steps = 0;
      for (const [subject, rows] of tables) {
        const row = rows.find(({ rule }) => rule.id === id);
        if (row === undefined) throw new Error(`${subject.id} has no row ${id}`);
        steps += await walkRow(world, subject, row);
      }
      if (steps > 0) met.set(id, steps);
      return steps;
    },
    count: () => ({ rows: met.size, steps: [...met.values()].reduce((sum, steps) => sum + steps, 0) }),
  };
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
