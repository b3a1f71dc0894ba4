/**
 * What makes a simulator useful beyond its happy path: fault rules that a test or a user sets over HTTP,
 * and a ledger of what the simulator has seen and holds. Shared by the simulators of all providers.
 *
 * `POST /_control` takes one rule:
 * `{match?: {verb?, reference?}, times | probability, seed?, do}` where `do` is one of
 * - `{status, headers?, body?, delayMs?}`: answers this instead of doing the work (a string body is sent
 *   as it is, anything else as JSON; no body: the provider's own error envelope),
 * - `{accept: true, then, delayMs?, hideMs?}`: does the work, then `"drop"` destroys the socket, `"hang"`
 *   never answers, `{status, headers?, body?}` answers that; with `accept: false` the work is not done,
 * - `{delayMs}`: waits, then goes on normally, also if the caller has given up meanwhile,
 * - `{hideMs}`: goes on normally; an order accepted by this request stays invisible to reads for so long.
 *
 * The first rule that matches decides; `times` counts down, `probability` (0 to 1) leaves it to chance
 * (repeatable with `seed`); with both, at most `times` requests are hit. `DELETE /_control` removes all rules.
 */
import { z } from 'zod';
import type { Random } from '../time.js';

/** An answer that a fault puts in place of the provider's own. `body` absent: the provider's envelope. */
export interface FaultReply {
  status: number;
  headers: Readonly<Record<string, string>>;
  body?: unknown;
}

/** What is to happen to one request, in the order of the fields: wait, do the work or not, answer. */
export interface Fault {
  delayMs: number;
  work: boolean;
  /** How long an order accepted by this request stays invisible to reads, in milliseconds. */
  hideMs: number;
  ending: 'own-answer' | 'drop' | 'hang' | FaultReply;
}

/** One request as the ledger shows it; `status` is 0 as long as nobody has heard an answer. */
export interface LedgerRequest {
  at: string;
  method: string;
  path: string;
  verb: string;
  status: number;
}

interface Rule {
  verb: string | undefined;
  reference: string | undefined;
  remaining: number;
  probability: number;
  random: Random;
  fault: Fault;
}

/** Keeps the newest requests and forgets the oldest, so that a long run does not fill the memory. */
export class RequestLedger {
  readonly #capacity: number;
  readonly #rows: LedgerRequest[] = [];
  #oldest = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(row: LedgerRequest): void {
    if (this.#rows.length < this.#capacity) {
      this.#rows.push(row);
      return;
    }
    this.#rows[this.#oldest] = row;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
  }

  /** Oldest first. */
  list(): LedgerRequest[] {
    return [...this.#rows.slice(this.#oldest), ...this.#rows.slice(0, this.#oldest)];
  }
}

/** The fault rules in force, oldest first. */
export class FaultRules {
  readonly #random: Random;
  #rules: Rule[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Puts a rule read by `readRule` behind those in force and answers how many there are. */
  add(rule: RuleInput): number {
    this.#rules.push({
      verb: rule.match?.verb,
      reference: rule.match?.reference,
      remaining: rule.times ?? Number.POSITIVE_INFINITY,
      probability: rule.probability ?? 1,
      random: rule.seed === undefined ? this.#random : seeded(rule.seed),
      fault: toFault(rule.do),
    });
    return this.#rules.length;
  }

  clear(): void {
    this.#rules = [];
  }

  /**
   * The fault that this request draws, if any, counted down. `references` is asked only when a rule names
   * a reference, so that a simulator without rules pays nothing.
   */
  take(verb: string, references: () => readonly string[]): Fault | undefined {
    const rule = this.#rules.find(
      (candidate) =>
        (candidate.verb === undefined || candidate.verb === verb) &&
        (candidate.reference === undefined || references().includes(candidate.reference)) &&
        (candidate.probability === 1 || candidate.random() < candidate.probability),
    );
    if (rule === undefined) return undefined;
    rule.remaining -= 1;
    if (rule.remaining <= 0) this.#rules = this.#rules.filter((other) => other !== rule);
    return rule.fault;
  }
}

const DAY_MS = 86_400_000;
const milliseconds = z.number().int().min(0).max(DAY_MS);

const replyFields = {
  // Below 200 an answer is not final (RFC 9110, section 15).
  status: z.number().int().min(200).max(599),
  // What Node accepts as a header; anything else would break the simulator instead of its caller.
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string().regex(/^[\x20-\x7e]*$/)).optional(),
  body: z.unknown().optional(),
};

const actionSchema = z.union([
  z.strictObject({ ...replyFields, delayMs: milliseconds.optional() }),
  z.strictObject({
    accept: z.boolean(),
    // biome-ignore lint/suspicious/noThenProperty: the published name of the field; nothing awaits a schema's shape
    then: z.union([z.enum(['drop', 'hang']), z.strictObject(replyFields)]),
    delayMs: milliseconds.optional(),
    hideMs: milliseconds.optional(),
  }),
  z.strictObject({ delayMs: milliseconds, hideMs: milliseconds.optional() }),
  z.strictObject({ hideMs: milliseconds }),
]);

const ruleSchema = z
  .strictObject({
    match: z
      .strictObject({ verb: z.string().optional(), reference: z.string().min(1).optional() })
      .optional(),
    times: z.number().int().min(1).optional(),
    probability: z.number().min(0).max(1).optional(),
    seed: z.number().int().optional(),
    do: actionSchema,
  })
  .refine((rule) => rule.times !== undefined || rule.probability !== undefined, {
    message: 'times or probability is required',
    path: ['times'],
  })
  .refine((rule) => rule.seed === undefined || rule.probability !== undefined, {
    message: 'a seed means something only beside a probability',
    path: ['seed'],
  });

const advanceSchema = z.strictObject({
  reference: z.string().min(1),
  status: z.string().min(1).max(100),
  reason: z.string().min(1).max(500).optional(),
});

/** A fault rule as written by its sender. */
export type RuleInput = z.infer<typeof ruleSchema>;
/** An order to be put into a status by hand; `reference` may be the provider's id, `reason` says why it failed. */
export type AdvanceInput = z.infer<typeof advanceSchema>;
type ActionInput = z.infer<typeof actionSchema>;

/** A value, or everything that is wrong with what was sent. */
export type Read<T> = { ok: true; value: T } | { ok: false; mistakes: string[] };

/** Reads the body of `POST /_control`; `verbs` are those that this simulator knows. */
export function readRule(body: unknown, verbs: readonly string[]): Read<RuleInput> {
  const read = readWith(ruleSchema, body);
  const verb = read.ok ? read.value.match?.verb : undefined;
  if (verb === undefined || verbs.includes(verb)) return read;
  return { ok: false, mistakes: [`match.verb: not one of ${verbs.join(', ')}`] };
}

/** Reads the body of `POST /_control/advance`. */
export function readAdvance(body: unknown): Read<AdvanceInput> {
  return readWith(advanceSchema, body);
}

/** Reads the body of a control route with its schema. */
export function readWith<T>(schema: z.ZodType<T>, body: unknown): Read<T> {
  const result = schema.safeParse(body);
  if (result.success) return { ok: true, value: result.data };
  return {
    ok: false,
    mistakes: result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  };
}

function toFault(action: ActionInput): Fault {
  const delayMs = ('delayMs' in action ? action.delayMs : undefined) ?? 0;
  const hideMs = ('hideMs' in action ? action.hideMs : undefined) ?? 0;
  if ('accept' in action) {
    const ending = typeof action.then === 'string' ? action.then : toReply(action.then);
    return { delayMs, work: action.accept, hideMs, ending };
  }
  if ('status' in action) return { delayMs, work: false, hideMs, ending: toReply(action) };
  return { delayMs, work: true, hideMs, ending: 'own-answer' };
}

function toReply(reply: Extract<ActionInput, { status: number }>): FaultReply {
  return {
    status: reply.status,
    headers: reply.headers ?? {},
    ...(reply.body === undefined ? {} : { body: reply.body }),
  };
}

/** Mulberry32, a public-domain generator by Tommy Ettinger: small, and the same numbers for the same seed. */
function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
