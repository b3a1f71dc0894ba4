/** How PostgreSQL would run a statement: what is read from beginning to end. */
import type pg from 'pg';
import { z } from 'zod';
import { GROWING } from '../helpers/history.js';

/** One statement as it was sent. */
export interface Sent {
  text: string;
  values: unknown[];
}

const GROWS = new RegExp(`"?packline"?\\."?(${GROWING.join('|')})"?\\b`);

/** Whether a statement touches a table that grows with every order. */
export function touchesHistory(text: string): boolean {
  return GROWS.test(text) && /^\s*(select|insert|update|delete|with)\b/i.test(text);
}

interface Node {
  'Node Type': string;
  'Relation Name'?: string | undefined;
  'Index Name'?: string | undefined;
  'Index Cond'?: string | undefined;
  Plans?: Node[] | undefined;
}

const node: z.ZodType<Node> = z.lazy(() =>
  z.object({
    'Node Type': z.string(),
    'Relation Name': z.string().optional(),
    'Index Name': z.string().optional(),
    'Index Cond': z.string().optional(),
    Plans: z.array(node).optional(),
  }),
);

const plan = z.object({ 'QUERY PLAN': z.array(z.object({ Plan: node })) });

/** The plan that a prepared statement gets for values that are not known. */
export async function genericPlan(client: pg.Client, { text }: Sent): Promise<string[]> {
  const count = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n)));
  const nulls = Array.from({ length: count }, () => 'null').join(', ');
  await client.query('begin');
  try {
    await client.query(`set local plan_cache_mode = 'force_generic_plan'`);
    await client.query(`prepare asked as ${text}`);
    const { rows } = await client.query(
      `explain (format json) execute asked${count === 0 ? '' : `(${nulls})`}`,
    );
    return wholeReads(rows[0]);
  } finally {
    await client.query('rollback');
    await client.query('deallocate all');
  }
}

/** The plan for the very values that were sent. */
export async function customPlan(client: pg.Client, { text, values }: Sent): Promise<string[]> {
  const { rows } = await client.query({ text: `explain (format json) ${text}`, values });
  return wholeReads(rows[0]);
}

/** Partial indexes are as short as their work, and may be read as a whole. */
const isPartial = (index: string): boolean =>
  index.startsWith('x_') && !['x_orders_status', 'x_orders_email', 'x_orders_tally'].includes(index);

/** What of the growing tables a plan reads from beginning to end, as short sentences. */
function wholeReads(row: unknown): string[] {
  const [top] = plan.parse(row)['QUERY PLAN'];
  if (top === undefined) throw new Error('EXPLAIN gave no plan');
  const found: string[] = [];
  const walk = (at: Node, limited: boolean): void => {
    const table = at['Relation Name'];
    const index = at['Index Name'];
    const type = at['Node Type'];
    const grows = GROWING.some((name) => name === table);
    if (grows && type === 'Seq Scan') found.push(`Seq Scan on ${table}`);
    const whole = index !== undefined && at['Index Cond'] === undefined && !isPartial(index) && !limited;
    if (whole && type.startsWith('Index')) found.push(`${type} on the whole of ${index}`);
    for (const child of at.Plans ?? []) walk(child, limited || type === 'Limit');
  };
  walk(top.Plan, false);
  return found;
}
