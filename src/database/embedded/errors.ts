/**
 * The embedded PostgreSQL cannot be had here. The message is one paragraph for a person: what is wrong and
 * what to do about it; a stack adds nothing.
 */
export class EmbeddedUnavailable extends Error {
  override name = 'EmbeddedUnavailable';
}

/** Another living packline owns the data folder. */
export class DataFolderInUse extends Error {
  override name = 'DataFolderInUse';
  /** Process id of the packline that owns the folder; 0 if it could not be read. */
  readonly pid: number;

  constructor(dataDir: string, pid: number) {
    super(
      `Another packline (pid ${pid === 0 ? 'unknown' : pid}) is running on ${dataDir}. Stop it first, ` +
        'or give this one its own folder with PACKLINE_DATA_DIR.',
    );
    this.pid = pid;
  }
}

/** The `code` of a Node.js or PostgreSQL error ('ENOENT', '57P03', ...), or null for anything else. */
export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
