/**
 * For every outcome and every step of a GelatoConnect account, what is decided at the
 * first and at the last attempt. Written by hand from the design; `decide.test.ts` holds the code against it.
 */
import type { OperationKind } from '../../src/orders/order.js';
import type { OperationFacts } from '../../src/policy/decide.js';
import type { Outcome } from '../../src/policy/outcome.js';
import { NOW } from './arbitraries.js';

/** `check` is a get that finds out what a refused cancel meant; `get` and `search` are reads of a poll. */
export type TableStep = 'submit' | 'activate' | 'cancel' | 'update' | 'check' | 'get' | 'search' | 'look';

export const WRITES: readonly TableStep[] = ['submit', 'activate', 'cancel', 'update'];
const AGAIN: readonly TableStep[] = ['activate', 'cancel', 'update', 'check'];
const CALLS: readonly TableStep[] = [...WRITES, 'check'];
const POLLS: readonly TableStep[] = ['get', 'search'];
const ALL: readonly TableStep[] = [...CALLS, ...POLLS];

export const OPERATION_OF: Record<TableStep, { kind: OperationKind; purpose: OperationFacts['purpose'] }> = {
  submit: { kind: 'submit', purpose: 'call' },
  activate: { kind: 'activate', purpose: 'call' },
  cancel: { kind: 'cancel', purpose: 'call' },
  update: { kind: 'update', purpose: 'call' },
  check: { kind: 'cancel', purpose: 'check' },
  get: { kind: 'poll', purpose: 'call' },
  search: { kind: 'poll', purpose: 'call' },
  look: { kind: 'submit', purpose: 'look' },
};

const said = { code: 'x', message: 'said so' };
const RETRY = 'retries in 0..1000 ms, spends 1';
const BACK = ['is given back for 0..1000 ms, spends 0', 'is given back for 0..32000 ms, spends 0'] as const;
const DEAD = 'dies of x, certainly not done, spends 1';
const REJECTED = 'is rejected as x, spends 1';
const DONE = 'succeeds, spends 1';
const CHECKED = 'is checked, spends 1';
const STATE_REFUSED = 'is rejected as refused_before, spends 1';
const MISCONFIGURED = 'dies of misconfigured, certainly not done, spends 1; counts as misconfigured';
const GONE = 'dies of x, certainly not done, spends 1; counts as misconfigured; alert gone';
const REFRESHED = 'waits for auth, 2000..2000 ms, for ever, spends 0; refreshes the token';
const LOOKS_AGAIN = 'looks again in 30000 ms, not counted';
const TOO_LONG = 'expires as unconfirmed';
const inconclusive = [LOOKS_AGAIN, TOO_LONG] as const;

const paused = (code: string) =>
  `waits for auth, 0..0 ms, for ever, spends 0; pauses ${code}; alert account_paused`;
const throttledFor = (range: string, strike: string) =>
  `waits for rate_limited, ${range} ms, at most 24 h, spends 0; closes all for ${range} ms${strike}`;
/** What the words of a gate that closes without a named time end in. */
export const STRIKE = ', a strike';
const tooManyTooLong = (end: string, range: string, strike: string) =>
  `${end}, spends 0; closes all for ${range} ms${strike}`;

type Cells = readonly (readonly [steps: readonly TableStep[], first: string, last: string])[];

export interface OutcomeRow {
  name: string;
  outcome: Outcome;
  cells: Cells;
}

/** The last attempt: the last of its budget, after five 429s in a row, and the deadline of its wait has come. */
export const TABLE: readonly OutcomeRow[] = [
  {
    name: 'accepted',
    outcome: { kind: 'accepted', providerOrderId: 'p-1' },
    cells: [
      [ALL, DONE, DONE],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'observed: in progress',
    outcome: {
      kind: 'observed',
      state: { providerOrderId: 'p-1', reference: 'r', status: 'in_progress', rawStatus: 'printed' },
    },
    cells: [
      [['submit', 'activate', 'get', 'search'], DONE, DONE],
      // A cancel was refused with 404, 409 or the like, which is never tried again.
      [['check'], STATE_REFUSED, STATE_REFUSED],
      [['cancel', 'update'], 'is rejected as refused, spends 1', 'is rejected as refused, spends 1'],
      [['look'], 'is found', 'is found'],
    ],
  },
  {
    name: 'observed: shipped',
    outcome: {
      kind: 'observed',
      state: {
        providerOrderId: 'p-1',
        reference: 'r',
        status: 'shipped',
        rawStatus: 'shipped',
        sameContent: false,
      },
    },
    cells: [
      [['submit', 'activate', 'get', 'search'], DONE, DONE],
      [
        ['cancel', 'check', 'update'],
        'is rejected as too_late, spends 1',
        'is rejected as too_late, spends 1',
      ],
      [['look'], 'is taken', 'is taken'],
    ],
  },
  {
    name: 'observed: canceled',
    outcome: {
      kind: 'observed',
      state: {
        providerOrderId: 'p-1',
        reference: 'r',
        status: 'canceled',
        rawStatus: 'canceled',
        sameContent: true,
      },
    },
    cells: [
      [['submit', 'cancel', 'check', 'get', 'search'], DONE, DONE],
      [['activate', 'update'], 'is rejected as too_late, spends 1', 'is rejected as too_late, spends 1'],
      [['look'], 'is found', 'is found'],
    ],
  },
  {
    name: 'done',
    outcome: { kind: 'done' },
    cells: [
      [ALL, DONE, DONE],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'rejected',
    outcome: { kind: 'rejected', ...said },
    cells: [
      [ALL, REJECTED, REJECTED],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'missing',
    outcome: { kind: 'missing', ...said },
    cells: [
      [['submit'], MISCONFIGURED, MISCONFIGURED],
      [['activate', 'cancel', 'update'], CHECKED, CHECKED],
      [
        ['check'],
        'dies of missing_at_provider, certainly not done, spends 1',
        'dies of missing_at_provider, certainly not done, spends 1',
      ],
      [POLLS, DONE, DONE],
      [['look'], 'looks again in 30000 ms, counted', 'is proven absent'],
    ],
  },
  {
    name: 'settled',
    outcome: { kind: 'settled', ...said },
    cells: [
      [['submit'], 'is confirmed, never sent again, spends 1', 'is confirmed, never sent again, spends 1'],
      [['activate', 'cancel', 'update'], CHECKED, CHECKED],
      [['check'], DEAD, DEAD],
      [POLLS, REJECTED, REJECTED],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'failed',
    outcome: { kind: 'failed', ...said },
    cells: [
      [CALLS, RETRY, DEAD],
      [POLLS, RETRY, REJECTED],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'throttled, no time named',
    outcome: { kind: 'throttled', ...said },
    cells: [
      [
        CALLS,
        throttledFor('1000..1000', STRIKE),
        tooManyTooLong('dies of rate_limited, certainly not done', '16000..32000', STRIKE),
      ],
      [
        POLLS,
        throttledFor('1000..1000', STRIKE),
        tooManyTooLong('is rejected as rate_limited', '16000..32000', STRIKE),
      ],
      [
        ['look'],
        `${LOOKS_AGAIN}; closes all for 1000..1000 ms${STRIKE}`,
        `${TOO_LONG}; closes all for 16000..32000 ms${STRIKE}`,
      ],
    ],
  },
  {
    name: 'throttled for a minute',
    outcome: { kind: 'throttled', ...said, retryAt: NOW + 60_000 },
    cells: [
      [
        CALLS,
        throttledFor('60000..65000', ''),
        tooManyTooLong('dies of rate_limited, certainly not done', '60000..65000', ''),
      ],
      [
        POLLS,
        throttledFor('60000..65000', ''),
        tooManyTooLong('is rejected as rate_limited', '60000..65000', ''),
      ],
      [
        ['look'],
        `${LOOKS_AGAIN}; closes all for 60000..65000 ms`,
        `${TOO_LONG}; closes all for 60000..65000 ms`,
      ],
    ],
  },
  {
    name: 'blocked: auth',
    outcome: { kind: 'blocked', code: 'auth', message: 'no' },
    cells: [
      [ALL, paused('auth'), paused('auth')],
      [
        ['look'],
        `${LOOKS_AGAIN}; pauses auth; alert account_paused`,
        `${TOO_LONG}; pauses auth; alert account_paused`,
      ],
    ],
  },
  {
    name: 'blocked: reinstall',
    outcome: { kind: 'blocked', code: 'reinstall', message: 'no' },
    cells: [
      [ALL, paused('reinstall'), paused('reinstall')],
      [
        ['look'],
        `${LOOKS_AGAIN}; pauses reinstall; alert account_paused`,
        `${TOO_LONG}; pauses reinstall; alert account_paused`,
      ],
    ],
  },
  {
    name: 'blocked: token',
    outcome: { kind: 'blocked', code: 'token', message: 'expired' },
    cells: [
      [ALL, REFRESHED, REFRESHED],
      [['look'], `${LOOKS_AGAIN}; refreshes the token`, `${TOO_LONG}; refreshes the token`],
    ],
  },
  {
    name: 'blocked: misconfigured',
    outcome: { kind: 'blocked', code: 'misconfigured', message: 'no' },
    cells: [
      [CALLS, MISCONFIGURED, MISCONFIGURED],
      [POLLS, 'is rejected as misconfigured, spends 1', 'is rejected as misconfigured, spends 1'],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'waiting: stock, the order alone',
    outcome: { kind: 'waiting', reason: 'stock', scope: 'order', ...said },
    cells: [
      [
        CALLS,
        'waits for stock, 1800000..1800000 ms, at most 72 h, spends 0',
        'dies of x, certainly not done, spends 0',
      ],
      [POLLS, 'waits for stock, 1800000..1800000 ms, at most 72 h, spends 0', 'is rejected as x, spends 0'],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'waiting: funds, the whole account',
    outcome: { kind: 'waiting', reason: 'funds', scope: 'account', ...said },
    cells: [
      ...ALL.map((step): Cells[number] => [
        [step],
        `waits for funds, 900000..900000 ms, at most 72 h, spends 0; closes ${OPERATION_OF[step].kind} for 900000..900000 ms; alert funds`,
        POLLS.includes(step) ? 'is rejected as x, spends 0' : 'dies of x, certainly not done, spends 0',
      ]),
      [['look'], `${LOOKS_AGAIN}; closes submit for 900000..900000 ms; alert funds`, TOO_LONG],
    ],
  },
  {
    name: 'gone',
    outcome: { kind: 'gone', ...said },
    cells: [
      [CALLS, GONE, GONE],
      [POLLS, 'is rejected as x, spends 1; alert gone', 'is rejected as x, spends 1; alert gone'],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'unknown',
    outcome: { kind: 'unknown', ...said },
    cells: [
      [['submit'], 'is confirmed, may be sent again, spends 1', 'is confirmed, may be sent again, spends 1'],
      [AGAIN, RETRY, DEAD],
      [POLLS, RETRY, REJECTED],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'not sent',
    outcome: { kind: 'notSent', ...said },
    cells: [
      [ALL, ...BACK],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'not sent in time',
    outcome: { kind: 'notSent', code: 'send_by', message: 'too late to send' },
    cells: [
      [ALL, 'is given back for 0..0 ms, spends 0', 'is given back for 0..0 ms, spends 0'],
      [['look'], ...inconclusive],
    ],
  },
  {
    name: 'interrupted',
    outcome: { kind: 'interrupted' },
    cells: [
      [ALL, 'is given back for 0..0 ms, spends 0', 'is given back for 0..0 ms, spends 0'],
      [['look'], ...inconclusive],
    ],
  },
];
