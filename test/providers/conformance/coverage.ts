/** Which rows of a provider's table have been walked, and at how many steps. */
import { type Case, type Cases, casesOf, type SideCase } from './cases.js';
import { walkRow } from './row.js';
import type { Subject } from './subject.js';
import { openScene } from './walk.js';
import type { World } from './world.js';

/** Each step of each kind of account; otherwise one of those that are decided alike. */
const ALL = process.env.PACKLINE_TEST_ALL === '1';

export interface Coverage {
  /** Walks one row at the steps that it rules. @returns at how many steps */
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
      const alike = new Set<string>();
      for (const [subject, rows] of tables) {
        const row = rows.find(({ rule }) => rule.id === id);
        if (row === undefined) throw new Error(`${subject.id} has no row ${id}`);
        steps += await walkRow(world, subject, ALL ? row : newOf(row, alike));
      }
      if (steps > 0) met.set(id, steps);
      return steps;
    },
    count: () => ({ rows: met.size, steps: [...met.values()].reduce((sum, steps) => sum + steps, 0) }),
  };
}

/** The cases of a row that none which was seen before is like; all are judged by the table when they are enumerated. */
function newOf({ rule, walked, beside }: Cases, seen: Set<string>): Cases {
  const isNew = (key: readonly unknown[]) => {
    const text = JSON.stringify(key);
    return seen.size !== seen.add(text).size;
  };
  return {
    rule,
    walked: walked.filter((one) => isNew(decidedBy(one))),
    beside: beside.filter((one) => isNew(askedBy(one))),
  };
}

/** All that a decision looks at, beside what the answer says. */
function decidedBy({ told, outcome, at }: Case): unknown[] {
  const { step, kind, purpose, hasNext, ofAccount } = at;
  return [told.status, outcome.kind, kind, purpose, hasNext, ofAccount, step.repeatable, step.writes];
}

function askedBy({ told, outcome, of }: SideCase): unknown[] {
  return [told.status, outcome.kind, of];
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
