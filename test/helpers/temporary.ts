import { access, chmod, constants, mkdtemp, rm, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

// A PostgreSQL of the tests writes some hundred megabytes at most; containers often have 64 MB there.
const ENOUGH_BYTES = 1024 * 1024 * 1024;

/** A new folder for one test or server: in memory where there is room, so that fsync costs nothing. */
export async function temporaryFolder(purpose: string): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(await roomyPlace(), `packline-${purpose}-`));
  // PostgreSQL cannot run as root, and another user must be able to pass through.
  await chmod(folder, 0o711);
  return { path: folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function roomyPlace(): Promise<string> {
  const memory = '/dev/shm';
  try {
    await access(memory, constants.W_OK);
    const { bavail, bsize } = await statfs(memory);
    return bavail * bsize >= ENOUGH_BYTES ? memory : os.tmpdir();
  } catch {
    // Not a Linux machine, or not one with memory to spare: the ordinary place does.
    return os.tmpdir();
  }
}
