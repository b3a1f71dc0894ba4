/** Tells a store that does not answer from a bug: the first is a 503 and worth another try, the second a 500. */

// Sockets (Node.js documentation, "Common system errors") and name service.
const SOCKET_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

// Prisma documentation, "Error message reference": not reachable, timed out, closed, pool exhausted, too many clients.
const PRISMA_CODES: ReadonlySet<string> = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037']);

// What Prisma's driver adapter for pg makes of the same, before the client gives it a code.
const DRIVER_ADAPTER_KINDS: ReadonlySet<string> = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
]);

// PostgreSQL documentation, "Error Codes": class 08 connection exception, class 53 insufficient resources,
// 57P01–57P05 the server shuts down, crashed, starts, or ended the session.
const SQLSTATE = /^(08[0-9A-Z]{3}|53[0-9A-Z]{3}|57P0[0-9A-Z])$/;

// pg and pg-pool report these without any code.
const CODELESS = /^(Connection terminated|timeout exceeded when trying to connect)/;

/** An error's causes form a chain, and an AggregateError a tree; a deeper one than this is a loop. */
const MOST_ERRORS_LOOKED_AT = 50;

/**
 * True if the error, or anything in its chain of causes, says that a connection or the server behind it failed.
 * @param error whatever was thrown
 */
export function isUnavailable(error: unknown): boolean {
  const open: unknown[] = [error];
  for (let looked = 0; open.length > 0 && looked < MOST_ERRORS_LOOKED_AT; looked += 1) {
    const candidate = open.shift();
    if (typeof candidate !== 'object' || candidate === null) continue;
    if (speaksOfAFailedConnection(candidate)) return true;
    open.push(...within(candidate));
  }
  return false;
}

function speaksOfAFailedConnection(error: object): boolean {
  // `originalCode` is the SQLSTATE that a driver adapter passes on, `errorCode` that of Prisma's initialisation.
  const codes = ['code', 'originalCode', 'errorCode'].map((name) => textOf(error, name));
  return (
    codes.some((code) => SOCKET_CODES.has(code) || PRISMA_CODES.has(code) || SQLSTATE.test(code)) ||
    DRIVER_ADAPTER_KINDS.has(textOf(error, 'kind')) ||
    CODELESS.test(textOf(error, 'message'))
  );
}

/** The errors that this one carries: its cause, an AggregateError's errors, what a driver adapter told Prisma. */
function within(error: object): unknown[] {
  const errors = propertyOf(error, 'errors');
  return [
    propertyOf(error, 'cause'),
    ...(Array.isArray(errors) ? errors : []),
    propertyOf(propertyOf(error, 'meta'), 'driverAdapterError'),
  ];
}

function propertyOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

function textOf(error: object, name: string): string {
  const value = propertyOf(error, name);
  return typeof value === 'string' ? value : '';
}
