/** Orders, dead letters, accounts and rules as text for people. */
import type { JsonObject } from '../json.js';
import type { Tracking } from '../orders/order.js';
import type { AccountJson, DeadLetterJson, OperationJson, OrderJson, TimelineEntry } from '../views.js';
import { type Cell, type Output, shorten, when } from './output.js';

// Wider cells push the columns behind them off a usual screen; `--json` has the whole text.
const WIDEST_CELL = 60;

/** How an order is named for people: `account/reference`, which `orders show` understands. */
export const orderName = (order: { account: string; reference: string }) =>
  `${order.account}/${order.reference}`;

/** Values of unknown shape on one line: `name=value name=value`. */
function inline(value: JsonObject): string {
  return Object.entries(value)
    .filter(([, part]) => part !== null)
    .map(([name, part]) => `${name}=${typeof part === 'string' ? part : JSON.stringify(part)}`)
    .join(' ');
}

export function printOrders(out: Output, orders: readonly OrderJson[], now: number): void {
  out.table(
    ['ORDER', 'STATUS', 'ATTENTION', 'PROVIDER ID', 'UPDATED'],
    orders.map((order) => [
      orderName(order),
      order.status,
      order.attention?.code,
      order.providerOrderId,
      when(order.updatedAt, now),
    ]),
    'No orders.',
  );
}

const trackingLine = (parcel: Tracking) =>
  [parcel.carrier, parcel.code, parcel.status, parcel.url].filter((part) => part !== null).join(' ');

function operationRow(operation: OperationJson, now: number): Cell[] {
  const { lastOutcome } = operation;
  return [
    operation.id,
    operation.kind,
    operation.waitReason === null ? operation.state : `${operation.state} (${operation.waitReason})`,
    operation.attempts,
    operation.calls,
    when(operation.dueAt, now),
    lastOutcome === null
      ? null
      : shorten(
          [lastOutcome.kind, lastOutcome.code, lastOutcome.message ?? ''].join(' ').trim(),
          WIDEST_CELL,
        ),
  ];
}

/** The order, its operations and its timeline. */
export function printOrder(
  out: Output,
  order: OrderJson,
  timeline: readonly TimelineEntry[],
  now: number,
): void {
  const { attention, failure } = order;
  out.fields([
    ['Order', orderName(order)],
    ['Id', order.id],
    ['Provider', order.provider],
    ['Status', order.held ? `${order.status} (held here until activated)` : order.status],
    ['At the provider', [order.providerOrderId, order.rawStatus].filter((part) => part !== null).join(', ')],
    ['Generation', order.generation],
    [
      'Attention',
      attention === null
        ? undefined
        : `${attention.code}: ${attention.detail}, ${when(attention.since, now)}`,
    ],
    ['Failure', failure === null ? undefined : `${failure.code}: ${failure.message}`],
    ...Object.entries(failure?.fields ?? {}).map(
      ([field, messages]) => [`  ${field}`, messages.join('; ')] as const,
    ),
    ...order.tracking.map((parcel) => ['Tracking', trackingLine(parcel)] as const),
    ['Created', when(order.createdAt, now)],
    ['Updated', when(order.updatedAt, now)],
  ]);
  out.heading('Operations');
  out.table(
    ['ID', 'KIND', 'STATE', 'ATTEMPTS', 'CALLS', 'DUE', 'LAST OUTCOME'],
    order.operations.map((operation) => operationRow(operation, now)),
    'None.',
  );
  out.heading('Timeline');
  out.table(
    ['AT', 'TYPE', 'ACTOR', 'RULE', 'DATA'],
    timeline.map((entry) => [
      when(entry.at, now),
      entry.type,
      entry.actor,
      entry.rule,
      shorten(inline(entry.data), WIDEST_CELL),
    ]),
    'Empty.',
  );
}

export function printDeadLetters(out: Output, letters: readonly DeadLetterJson[], now: number): void {
  out.table(
    ['ID', 'ACCOUNT', 'REFERENCE', 'KIND', 'CODE', 'STATE', 'AMBIGUOUS', 'CREATED', 'MESSAGE'],
    letters.map((letter) => [
      letter.id,
      letter.account,
      letter.reference,
      letter.kind,
      letter.code,
      letter.state,
      letter.ambiguous ? 'yes' : 'no',
      when(letter.createdAt, now),
      shorten(letter.message, WIDEST_CELL),
    ]),
    'No dead letters.',
  );
}

/** The dead letter with all its evidence. */
export function printDeadLetter(out: Output, letter: DeadLetterJson, now: number): void {
  out.fields([
    ['Dead letter', letter.id],
    ['State', letter.state],
    ['Account', letter.account],
    ['Reference', letter.reference],
    ['Order id', letter.orderId],
    ['Operation', `${letter.kind} ${letter.operationId}`],
    ['Code', letter.code],
    ['Message', letter.message],
    ['Ambiguous', letter.ambiguous ? 'yes: it may have been done; a replay looks it up first' : 'no'],
    ['Created', when(letter.createdAt, now)],
  ]);
  for (const [at, attempt] of letter.attempts.entries()) {
    out.heading(`Attempt ${at + 1} of ${letter.attempts.length}`);
    out.fields(jsonFields(attempt));
  }
  if (letter.candidates.length === 0) return;
  out.heading('Candidates at the provider');
  for (const candidate of letter.candidates) {
    out.fields(isObject(candidate) ? jsonFields(candidate) : [['Candidate', JSON.stringify(candidate)]]);
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What helps, by what is waited for. */
const REMEDIES: Readonly<Record<string, string>> = {
  in_line: 'the pace of the account; nothing to do',
  rate_limited: 'the provider has asked for a pause; nothing to do',
  retrying: 'the provider failed; tried again by itself',
  breaker: 'most calls fail: one tries from time to time; "packline accounts resume" goes on at once',
  scheduled: 'nothing to do',
  unconfirmed: 'an answer was lost; the provider is being asked',
  busy: 'another operation of the order, or of the same customer, comes first',
  funds: 'pay in, then "packline accounts resume" tries at once',
  window: 'the provider is closed; tried again by itself',
  stock: 'the provider has none left; tried again by itself',
  otp: 'supply the code: "packline orders otp"',
  auth: 'the credentials are refused: mend them in the accounts file and apply it',
  paused: 'packline accounts resume',
  token_refresh: 'the access token is being refreshed',
};

/** What the operations of an account wait for. */
export function printWaits(out: Output, { id, pause, waits = [] }: AccountJson, now: number): void {
  if (pause !== null) out.line(`${id} is paused (${pause.code}): ${pause.reason}`);
  out.table(
    ['VERB', 'WAITS FOR', 'OPERATIONS', 'UNTIL', 'OLDEST DUE', 'WHAT HELPS'],
    waits.map(({ kind, reason, operations, until, oldestDue }) => [
      kind,
      reason,
      operations,
      when(until, now) ?? 'open',
      when(oldestDue, now),
      REMEDIES[reason] ?? '',
    ]),
    `Nothing of ${id} waits.`,
  );
}

/** An object of unknown shape below each other, its nested values as JSON. */
function jsonFields(value: JsonObject): (readonly [string, Cell])[] {
  return Object.entries(value).map(([name, part]) => [name, cellOf(part)] as const);
}

const cellOf = (value: JsonObject[string] | undefined): Cell =>
  typeof value === 'string' || typeof value === 'number' || value === null || value === undefined
    ? value
    : JSON.stringify(value);

const gateText = ({ gate }: AccountJson, now: number): string => {
  if (gate.blockedUntil === null)
    return gate.limit === null ? 'open' : `open, ${gate.remaining ?? '?'} of ${gate.limit} left`;
  return `closed until ${when(gate.blockedUntil, now)}${gate.why === null ? '' : `: ${gate.why}`}`;
};

const breakerText = ({ breaker }: AccountJson, now: number): string => {
  if (breaker === null) return 'off';
  const { state, failureRate, calls, openUntil } = breaker;
  const rate = failureRate === null ? '' : `, ${Math.round(failureRate * 100)} % of ${calls} calls failed`;
  switch (state) {
    case 'closed':
      return `closed${rate}`;
    case 'open':
      return `open until ${when(openUntil, now)}${rate}`;
    case 'half_open':
      return `half open, one call tries${rate}`;
  }
};

const stateText = ({ state, pause }: AccountJson) => (pause === null ? state : `${state} (${pause.code})`);

export function printAccounts(out: Output, accounts: readonly AccountJson[], now: number): void {
  out.table(
    [
      'ACCOUNT',
      'PROVIDER',
      'MODE',
      'STATE',
      'GUARANTEE',
      'QUEUED',
      'WAITING',
      'RUNNING',
      'UNCONFIRMED',
      'GATE',
    ],
    accounts.map((account) => [
      account.id,
      account.provider,
      account.mode,
      stateText(account),
      account.guarantee.level,
      account.queue.queued,
      account.queue.waiting,
      account.queue.running,
      account.queue.unconfirmed,
      gateText(account, now),
    ]),
    'No accounts. Write an accounts file and apply it: packline accounts apply FILE',
  );
}

export function printAccount(out: Output, account: AccountJson, now: number): void {
  const { pause, queue } = account;
  out.fields([
    ['Account', account.id],
    ['Provider', account.provider],
    ['Mode', account.mode],
    ['State', stateText(account)],
    ['Pause', pause === null ? undefined : `${pause.reason}, by ${pause.by}, ${when(pause.since, now)}`],
    ['Until', pause === null ? undefined : (when(pause.until, now) ?? 'resumed')],
    ['Gate', gateText(account, now)],
    ['Breaker', breakerText(account, now)],
    ['Guarantee', `${account.guarantee.level}: ${account.guarantee.reason}`],
    ['Queue', queue.name],
    [
      'Operations',
      `${queue.queued} queued, ${queue.waiting} waiting, ${queue.running} running, ${queue.unconfirmed} unconfirmed`,
    ],
    ['Oldest due', when(queue.oldestDue, now)],
  ]);
}
