import { defineConfig } from 'prisma/config';

/** Our tables, and the list of applied migrations with them, live in a schema of their own beside a shop's. */
function ownSchema(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  if (!url.searchParams.has('schema')) url.searchParams.set('schema', 'packline');
  return url.href;
}

/** Kept beside the schema so that the top level stays clean; `--config prisma/prisma.config.ts` names it. */
export default defineConfig({
  schema: 'schema.prisma',
  migrations: { path: 'migrations' },
  ...(process.env.DATABASE_URL === undefined
    ? {}
    : { datasource: { url: ownSchema(process.env.DATABASE_URL) } }),
});
