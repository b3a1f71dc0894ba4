/** `packline orders submit FILE`: a file of orders, in batches, each order for itself. */
import type { Command } from 'commander';
import type { Operator } from '../operator.js';
import { type Problem, problem, type Result } from '../problem.js';
import type { OrderJson } from '../views.js';
import { addVerb, does, EXIT, type Invocation, type Shell } from './context.js';
import { fileMistake, fileName, readBytes } from './files.js';
import { fieldLine } from './output.js';
import { noProgress, type Progress, startProgress } from './progress.js';
import { type OrderEntry, readOrders } from './read-orders.js';

// The contract's limit for one batch.
const MAX_BATCH = 500;
// Smaller batches for smaller files, so that the bar moves about twenty times; never so small that statements are wasted.
const MIN_BATCH = 25;
const BAR_STEPS = 20;
/** Files with more orders than this get a progress display. */
const PROGRESS_ABOVE = 50;

type Answer = Result<{ created: boolean; order: OrderJson | null }>;

/** What became of one order of the file, as `POST /v1/orders/batch` would tell it. */
type SubmitResult = { index: number; status: number } & ({ order: OrderJson | null } | { problem: Problem });

interface Submission {
  entries: readonly OrderEntry[];
  validateOnly: boolean;
}

function notJson(entry: OrderEntry & { ok: false }): Problem {
  const detail = `Expected ${entry.expected} at line ${entry.line}, column ${entry.column}.`;
  return problem('bad-request', 'The line is not JSON.', [{ pointer: '', code: 'invalid_json', detail }]);
}

function resultOf(index: number, answer: Answer, validateOnly: boolean): SubmitResult {
  if (!answer.ok) return { index, status: answer.problem.status, problem: answer.problem };
  const status = answer.value.created && !validateOnly ? 201 : 200;
  return { index, status, order: answer.value.order };
}

async function send(call: Invocation, operator: Operator, bodies: unknown[], validateOnly: boolean) {
  if (!validateOnly) return operator.submitMany(bodies, call.actor);
  const answers: Answer[] = [];
  for (const body of bodies)
    answers.push(await operator.submit(body, { actor: call.actor, validateOnly: true }));
  return answers;
}

async function submitBatch(
  call: Invocation,
  operator: Operator,
  entries: readonly OrderEntry[],
  validateOnly: boolean,
): Promise<SubmitResult[]> {
  const readable = entries.filter((entry) => entry.ok);
  const answers =
    readable.length === 0
      ? []
      : await send(
          call,
          operator,
          readable.map((entry) => entry.body),
          validateOnly,
        );
  const byIndex = new Map(readable.map((entry, at) => [entry.index, answers[at]]));
  return entries.map((entry) => {
    if (!entry.ok) {
      const refusal = notJson(entry);
      return { index: entry.index, status: refusal.status, problem: refusal };
    }
    const answer = byIndex.get(entry.index);
    if (answer === undefined) throw new Error(`submitMany gave no answer for order ${entry.index}`);
    return resultOf(entry.index, answer, validateOnly);
  });
}

function watch({ deps }: Invocation, total: number): Progress {
  if (total <= PROGRESS_ABOVE) return noProgress;
  return startProgress({ label: 'orders', total, stream: deps.stderr, isTTY: deps.isTTY });
}

/** Sends everything in batches; says how far it came if it cannot go on. */
async function submitAll(call: Invocation, operator: Operator, work: Submission): Promise<SubmitResult[]> {
  const { entries, validateOnly } = work;
  const progress = watch(call, entries.length);
  const size = Math.min(MAX_BATCH, Math.max(MIN_BATCH, Math.ceil(entries.length / BAR_STEPS)));
  const results: SubmitResult[] = [];
  try {
    for (let from = 0; from < entries.length; from += size) {
      results.push(...(await submitBatch(call, operator, entries.slice(from, from + size), validateOnly)));
      progress.update(results.length);
    }
    return results;
  } finally {
    progress.stop();
    if (results.length < entries.length) {
      call.out.note(
        `Stopped after ${results.length} of ${entries.length} orders. Submit the file again: ` +
          'orders that are there are not stored twice.',
      );
    }
  }
}

const textField = (body: unknown, name: string): string | null => {
  if (typeof body !== 'object' || body === null || !(name in body)) return null;
  // `name in body` was just asked; the value is checked before it is used.
  const value = (body as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : null;
};

function printRefusals(
  call: Invocation,
  entries: readonly OrderEntry[],
  results: readonly SubmitResult[],
): void {
  for (const [at, result] of results.entries()) {
    const entry = entries[at];
    if (!('problem' in result) || entry === undefined) continue;
    const reference = entry.ok ? textField(entry.body, 'reference') : null;
    const name = reference === null ? '' : ` (${reference})`;
    call.out.note(`line ${entry.line}, index ${entry.index}${name}: ${result.problem.detail}`);
    for (const error of result.problem.errors ?? []) call.out.note(`  ${fieldLine(error)}`);
  }
}

/** Prints what became of the orders; returns the exit code. */
function report(call: Invocation, work: Submission, results: readonly SubmitResult[]): number {
  const refused = results.filter((result) => 'problem' in result).length;
  const created = results.filter((result) => result.status === 201).length;
  const fine = results.length - refused - created;
  printRefusals(call, work.entries, results);
  call.out.answer({ results }, () =>
    call.out.table(
      work.validateOnly ? ['VALID', 'REFUSED'] : ['CREATED', 'ALREADY THERE', 'REFUSED'],
      [work.validateOnly ? [fine, refused] : [created, fine, refused]],
      '',
    ),
  );
  return refused === 0 ? EXIT.done : EXIT.failed;
}

async function submitFile(
  call: Invocation,
  path: string,
  options: { validateOnly?: boolean },
): Promise<number> {
  const bytes = await readBytes(call.deps, path);
  if (!bytes.ok) return call.wrongUse(bytes.message);
  const file = readOrders(bytes.value);
  if (!file.ok) return call.wrongUse(fileMistake(path, file.detail, file.place));
  const { entries } = file;
  const work = { entries, validateOnly: options.validateOnly === true };
  if (entries.length === 0) {
    call.out.note(`${fileName(path)} holds no orders.`);
    return report(call, work, []);
  }
  const results = await call.deps.withOperator((operator) => submitAll(call, operator, work));
  return report(call, work, results);
}

export function addSubmit(orders: Command, shell: Shell): void {
  const command = addVerb(orders, {
    usage: 'submit <file>',
    help:
      'Store the orders of a file: one JSON object, a JSON array, or one object per line (NDJSON); - is ' +
      'standard input. Each stands for itself; what is refused is listed, and the others are stored. An order ' +
      'that is there already is not stored twice, so a file may be submitted again.',
    examples: ['packline orders submit orders.ndjson', 'cat order.json | packline orders submit - --json'],
  }).option('--validate-only', 'only check the orders; store nothing');
  does(shell, command, submitFile);
}
