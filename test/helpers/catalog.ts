import type pg from 'pg';

/**
 * What a PostgreSQL schema looks like, as sorted sentences, so that a difference reads well in a test's output.
 *
 * Left out: Prisma's own bookkeeping, and indexes and constraints named `x_...`, which are written by hand in
 * the migrations because Prisma's schema cannot express them. Storage settings (fillfactor) are no part of it.
 */
export async function describeSchema(client: pg.ClientBase, schema: string): Promise<string[]> {
  const result = await client.query<{ line: string }>(
    `${COLUMNS} union all ${ENUMS} union all ${CONSTRAINTS} union all ${INDEXES} order by 1`,
    [schema],
  );
  return result.rows.map((row) => row.line);
}

/** Names of the hand-written indexes and constraints of a schema, sorted. */
export async function handwritten(client: pg.ClientBase, schema: string): Promise<string[]> {
  const result = await client.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = $1::regnamespace and relname like 'x\\_%'
      union select conname from pg_constraint where connamespace = $1::regnamespace and conname like 'x\\_%'
      order by 1`,
    [schema],
  );
  return result.rows.map((row) => row.name);
}

const TABLES = `c.relnamespace = $1::regnamespace and c.relname <> '_prisma_migrations'`;

const COLUMNS = `
  select format('column %s.%s %s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
           case when a.attnotnull then ' not null' else '' end,
           ' default ' || pg_get_expr(d.adbin, d.adrelid),
           case when a.attidentity <> '' then ' identity ' || a.attidentity::text
                when a.attgenerated <> '' then ' generated ' || a.attgenerated::text else '' end) as line
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where ${TABLES} and c.relkind in ('r', 'p')`;

const ENUMS = `
  select format('enum %s: %s', t.typname, string_agg(e.enumlabel, ', ' order by e.enumsortorder))
    from pg_type t join pg_enum e on e.enumtypid = t.oid
   where t.typnamespace = $1::regnamespace group by t.typname`;

// Not-null constraints (PostgreSQL 18 lists them here) are told with their columns.
const CONSTRAINTS = `
  select format('constraint %s on %s: %s', k.conname, c.relname, pg_get_constraintdef(k.oid))
    from pg_constraint k join pg_class c on c.oid = k.conrelid
   where ${TABLES} and k.contype <> 'n' and k.conname not like 'x\\_%'`;

const INDEXES = `
  select format('index %s', pg_get_indexdef(i.indexrelid))
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_class n on n.oid = i.indexrelid
   where ${TABLES} and n.relname not like 'x\\_%'`;
