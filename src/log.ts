/** The log: one JSON object a line, on stderr, since stdout belongs to the command line's answers. */
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import type { LogLevel } from './config.js';
import type { Json } from './json.js';
import { redact } from './redact.js';

const STDERR = 2;

/**
 * Every line passes `redact` as it is written: what was logged, the message, the bindings of child loggers and
 * what other libraries' serializers made, errors with message and stack included.
 *
 * @param destination where the lines go; stderr by default
 */
export function createLog(level: LogLevel, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Here and not only at the end: an error may drag a whole client along, which is dear to write out.
      serializers: { err: redact, error: redact },
      hooks: { streamWrite: redactLine },
    },
    destination ?? pino.destination(STDERR),
  );
}

/** One line of pino's, redacted. */
function redactLine(line: string): string {
  // What pino has written is JSON by its own contract.
  return `${JSON.stringify(redact(JSON.parse(line) as Json))}\n`;
}
