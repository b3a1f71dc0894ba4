import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Clock, systemTime } from '../time.js';
import { readIfThere } from './embedded/folder.js';
import { findPrismaDir } from './migrate.js';
import { diffSchemas, isEmptyScript } from './schema-engine.js';

/** What making a migration takes. */
export interface NewMigration {
  /** The folder with `schema.prisma` and `migrations/`. */
  prismaDir: string;
  /** Becomes a part of the migration's folder name: lower-case letters, digits and underscores. */
  name: string;
  /** Whether a migration without any difference between the schemas is wanted, to be written by hand. */
  handwritten: boolean;
  clock: Clock;
}

/**
 * Writes the next migration: what leads from the schema as the last migration left it to the schema of now.
 *
 * The schema as the last migration left it is kept beside the migrations, because the engine cannot read it
 * back from a database here. What Prisma's schema cannot express goes below the generated part by hand; every
 * index and constraint of that kind has a name that starts with `x_`, by which the drift test knows them.
 *
 * @returns the path of the new migration.sql, or null if there is nothing to migrate
 */
export async function newMigration(options: NewMigration): Promise<string | null> {
  const migrations = path.join(options.prismaDir, 'migrations');
  const snapshot = path.join(migrations, 'schema.snapshot.prisma');
  const schema = await readFile(path.join(options.prismaDir, 'schema.prisma'), 'utf8');
  const sql = await diffSchemas(await readIfThere(snapshot), schema);
  if (isEmptyScript(sql) && !options.handwritten) return null;

  const folder = path.join(migrations, `${timestamp(options.clock)}_${options.name}`);
  const file = path.join(folder, 'migration.sql');
  await mkdir(migrations, { recursive: true });
  await mkdir(folder);
  await writeFile(file, sql);
  await writeFile(path.join(migrations, 'migration_lock.toml'), 'provider = "postgresql"\n');
  await writeFile(snapshot, schema);
  return file;
}

/** The UTC time as Prisma begins its folder names: YYYYMMDDHHMMSS. */
function timestamp(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace(/\D/g, '').slice(0, 14);
}

async function main(args: readonly string[]): Promise<number> {
  const [name, flag] = args;
  const handwritten = flag === '--handwritten';
  if (name === undefined || !/^[a-z0-9_]+$/.test(name) || (flag !== undefined && !handwritten)) {
    console.error(
      'usage: new-migration NAME [--handwritten], NAME of lower-case letters, digits, underscores',
    );
    return 2;
  }
  const file = await newMigration({
    prismaDir: await findPrismaDir(),
    name,
    handwritten,
    clock: systemTime.clock,
  });
  if (file === null) {
    console.error('the schema has not changed since the last migration; --handwritten makes an empty one');
    return 1;
  }
  console.log(file);
  return 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(process.argv.slice(2));
}
