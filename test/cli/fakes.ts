/** The command line without its surroundings: streams in memory, files in a map, an operator by hand. */
import { Writable } from 'node:stream';
import type { CliDeps } from '../../src/cli/context.js';
import { run } from '../../src/cli/program.js';
import type { Operator } from '../../src/operator.js';
import type { Clock } from '../../src/time.js';
import type { AccountJson, DeadLetterJson, OrderJson, TimelineEntry } from '../../src/views.js';

export const NOW = '2026-11-20T12:00:00.000Z';

export class MemoryStream extends Writable {
  text = '';
  readonly isTTY: boolean;

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** A clock that only moves when somebody sleeps. */
export function fakeTime() {
  let elapsed = 0;
  const clock: Clock = { now: () => Date.parse(NOW) + elapsed, monotonic: () => elapsed };
  const sleep = (ms: number) => {
    elapsed += ms;
    return Promise.resolve();
  };
  return { clock, random: () => 0.5, sleep };
}

/** An operator that has the given verbs; any other is a mistake of the test or of the code under it. */
export function fakeOperator(verbs: Partial<Operator>): Operator {
  const missing = (name: string) => () => {
    throw new Error(`the test did not expect operator.${name}`);
  };
  const handler: ProxyHandler<Partial<Operator>> = {
    get: (target, name) => Reflect.get(target, name) ?? (name === 'then' ? undefined : missing(String(name))),
  };
  // Every verb that Operator has is answered: by the given one, or by a function that throws.
  return new Proxy(verbs, handler) as Operator;
}

export interface Setting extends Partial<Omit<CliDeps, 'stdout' | 'stderr' | 'withOperator' | 'readFile'>> {
  operator?: Partial<Operator>;
  files?: Record<string, string | Uint8Array>;
  withOperator?: CliDeps['withOperator'];
  readFile?: CliDeps['readFile'];
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

const unexpected = (name: string) => () => Promise.reject(new Error(`the test did not expect ${name}`));

async function readFrom(files: Record<string, string | Uint8Array>, path: string): Promise<Buffer> {
  const content = files[path];
  if (content === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
  return Buffer.from(content);
}

/** Runs one command line, written as in a shell without quotes: words between blanks, or a list of words. */
export async function packline(argv: string | readonly string[], setting: Setting = {}): Promise<Ran> {
  const { operator, files = {}, ...given } = setting;
  const stdout = new MemoryStream(given.isTTY);
  const stderr = new MemoryStream(given.isTTY);
  const deps: CliDeps = {
    stdout,
    stderr,
    env: { USER: 'sara' },
    withOperator:
      operator === undefined ? unexpected('withOperator') : (work) => work(fakeOperator(operator)),
    runRoles: unexpected('runRoles'),
    checkDatabase: unexpected('checkDatabase'),
    migrate: unexpected('migrate'),
    simulate: unexpected('simulate'),
    demo: unexpected('demo'),
    chaos: unexpected('chaos'),
    time: fakeTime(),
    isTTY: false,
    readFile: (path) => readFrom(files, path),
    ...given,
  };
  const words = typeof argv === 'string' ? argv.split(' ').filter((word) => word !== '') : argv;
  const code = await run(words, deps);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

export function order(changes: Partial<OrderJson> = {}): OrderJson {
  return {
    id: '0198a000-0000-7000-8000-000000000001',
    account: 'gelato-eu',
    provider: 'gelato-connect',
    reference: 'A-1001',
    generation: 1,
    status: 'in_progress',
    rawStatus: 'printing',
    attention: null,
    failure: null,
    providerOrderId: 'p-77',
    tracking: [],
    held: false,
    operations: [],
    createdAt: '2026-11-20T09:00:00.000Z',
    updatedAt: '2026-11-20T11:57:00.000Z',
    ...changes,
  };
}

export const timelineEntry = (changes: Partial<TimelineEntry> = {}): TimelineEntry => ({
  at: '2026-11-20T09:00:00.000Z',
  type: 'order.received',
  actor: 'shop',
  data: {},
  ...changes,
});

export function deadLetter(changes: Partial<DeadLetterJson> = {}): DeadLetterJson {
  return {
    id: '17',
    account: 'gelato-eu',
    orderId: '0198a000-0000-7000-8000-000000000001',
    reference: 'A-1001',
    operationId: '5',
    kind: 'submit',
    code: 'INTERNAL_ERROR',
    message: 'The provider answered 500 six times.',
    ambiguous: true,
    state: 'open',
    attempts: [],
    candidates: [],
    createdAt: '2026-11-20T10:00:00.000Z',
    ...changes,
  };
}

export function account(changes: Partial<AccountJson> = {}): AccountJson {
  return {
    id: 'gelato-eu',
    provider: 'gelato-connect',
    mode: 'live',
    state: 'active',
    pause: null,
    gate: { limit: 100, remaining: 97, blockedUntil: null, why: null },
    breaker: { state: 'closed', failureRate: null, calls: 0, openUntil: null },
    guarantee: { level: 'exactly_once', reason: 'lookup by reference' },
    queue: { name: 'fulfil-gelato-eu', queued: 3, waiting: 1, running: 2, unconfirmed: 0, oldestDue: null },
    ...changes,
  };
}
