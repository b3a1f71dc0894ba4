/** Reads JSON bodies: UTF-8 to the letter, without keys that reach into prototypes, and not bottomless. */
import type { FastifyInstance } from 'fastify';
import { problem } from '../problem.js';
import { ProblemError } from './problems.js';

// Everything behind the parser walks a body by recursion. Four levels are an order; 100 leave room for what a
// provider's options hold, and are far from the stack's end.
const MOST_LEVELS = 100;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the request needs a body. Where it does not, none is read as `{}`; `none` stays out of the reference. */
    body?: 'required' | 'optional' | 'none';
  }
}

/** Makes JSON the only body that the app reads; what an empty one means, a route says in its `config.body`. */
export function registerJsonBody(app: FastifyInstance): void {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    if (bytes.length === 0) return done(null, undefined);
    if (nestsDeeperThan(MOST_LEVELS, bytes)) {
      return done(unreadable(`The body nests deeper than ${MOST_LEVELS} levels.`));
    }
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      return done(unreadable('The body is not UTF-8.'));
    }
    return parse(request, text, done);
  });
  app.addHook('preValidation', async (request) => {
    if (request.body !== undefined || request.routeOptions.config.body === undefined) return;
    if (request.routeOptions.config.body === 'required') throw unreadable('This request needs a JSON body.');
    request.body = {};
  });
}

const unreadable = (detail: string) => new ProblemError(problem('bad-request', detail));

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Counts brackets outside of strings. All of them are ASCII, which no byte of a longer UTF-8 sequence can be. */
function nestsDeeperThan(levels: number, bytes: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) inString = !inString;
    else if (inString) {
      if (byte === BACKSLASH) at += 1;
    } else if (OPENING.has(byte)) {
      depth += 1;
      if (depth > levels) return true;
    } else if (CLOSING.has(byte)) depth -= 1;
  }
  return false;
}
