import { defineConfig } from 'prisma/config';

/** Kept beside the schema so that the top level stays clean; `--config prisma/prisma.config.ts` names it. */
export default defineConfig({
  schema: 'schema.prisma',
  migrations: { path: 'migrations' },
  ...(process.env.DATABASE_URL === undefined ? {} : { datasource: { url: process.env.DATABASE_URL } }),
});
