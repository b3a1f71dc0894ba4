/** Cursors: opaque to callers, and any other text is refused. */

/** @param parts what the next page starts after */
export function writeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @returns the parts, or null where the text is no cursor with as many parts */
export function readCursor(cursor: string, count: number): string[] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const fits =
      Array.isArray(parts) && parts.length === count && parts.every((part) => typeof part === 'string');
    return fits ? parts : null;
  } catch {
    // Not base64, not JSON: no cursor of ours.
    return null;
  }
}
