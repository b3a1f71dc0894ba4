/** Files that a verb is given; what is wrong with them is wrong use, told in one sentence. */
import type { Json } from '../json.js';
import { type Place, readJson } from '../json-text.js';
import type { CliDeps } from './context.js';
import { decodeText } from './read-orders.js';

export type FileRead<T> = { ok: true; value: T } | { ok: false; message: string };

// The system's codes that a person can do something about (errno(3)).
const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read by this user',
  EISDIR: 'it is a directory',
  EPERM: 'it may not be read by this user',
};

/** What a file is called in messages. */
export const fileName = (path: string) => (path === '-' ? 'standard input' : path);

/** A sentence on what is wrong with a file, and where. */
export function fileMistake(path: string, detail: string, place?: Place): string {
  const where = place === undefined ? '' : ` (line ${place.line}, column ${place.column})`;
  return `cannot use ${fileName(path)}${where}: ${detail}`;
}

/** The bytes of a file, or why it cannot be read. */
export async function readBytes(deps: CliDeps, path: string): Promise<FileRead<Buffer>> {
  try {
    return { ok: true, value: await deps.readFile(path) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
    return { ok: false, message: `cannot read ${fileName(path)}: ${reason}` };
  }
}

/** The one JSON value of a file. */
export async function readJsonFile(deps: CliDeps, path: string): Promise<FileRead<Json>> {
  const bytes = await readBytes(deps, path);
  if (!bytes.ok) return bytes;
  const text = decodeText(bytes.value);
  if (!text.ok) return { ok: false, message: fileMistake(path, text.detail, text.place) };
  const read = readJson(text.text);
  if (!read.ok) {
    return { ok: false, message: fileMistake(path, `it is not JSON: expected ${read.expected}`, read.place) };
  }
  return { ok: true, value: read.value };
}
