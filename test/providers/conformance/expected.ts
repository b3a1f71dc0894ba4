/**
 * What a row of a policy table means for the rows of the database, right after the call that drew it. Written from
 * the design ("Outcome and decision") and not from the code that decides.
 */
import type { ProviderPolicy } from '../../../src/policy/policy.js';
import type { Case } from './cases.js';
import type { Standing } from './world.js';

export interface Expected {
  state: string;
  waitReason: string | null;
  /** Budget spent by this call: waits, 429s, looks and what was never sent cost nothing. */
  spent: 0 | 1;
  /** What the next call of the operation is for. */
  purpose: string;
  absentLooks: number;
  gates: Record<string, string>;
  pause: string | null;
  letters: Standing['letters'];
  /** Codes, sorted. */
  alerts: string[];
  order: { status: string; failure: string | null; attention: string | null } | null;
}

/** @param before how the operation and its order stood before the call */
export function expectedOf(one: Case, before: Standing): Expected {
  const nothing: Expected = {
    state: 'pending',
    waitReason: null,
    spent: 0,
    purpose: before.purpose,
    absentLooks: before.absentLooks,
    gates: {},
    pause: null,
    letters: [],
    alerts: one.rule.alert === true ? ['internal_error'] : [],
    order:
      before.order === null
        ? null
        : { status: before.order.status, failure: null, attention: before.order.attention },
  };
  return { ...nothing, ...(one.at.purpose === 'look' ? atLook(one, nothing) : atCall(one, nothing)) };
}

/** What concerns the whole account, whatever the call was for. */
function doors({ outcome, at }: Case, { alerts }: Expected): Partial<Expected> {
  switch (outcome.kind) {
    case 'throttled':
      return { gates: { '*': 'rate_limited' } };
    case 'blocked':
      // Misconfigured orders are counted, a refused token is refreshed: neither pauses by itself.
      if (outcome.code === 'misconfigured' || outcome.code === 'token') return {};
      return { pause: outcome.code, alerts: [...alerts, 'account_paused'].sort() };
    case 'waiting':
      if (outcome.scope === 'order') return {};
      return {
        gates: { [at.kind]: outcome.reason },
        alerts: outcome.reason === 'funds' ? [...alerts, 'funds'].sort() : alerts,
      };
    case 'gone':
      return { alerts: [...alerts, 'gone'].sort() };
    default:
      return {};
  }
}

/** A look spends nothing and ends nothing but by finding; only the provider's own "not there" counts as an absence. */
function atLook(one: Case, nothing: Expected): Partial<Expected> {
  const missed = one.outcome.kind === 'missing';
  return {
    ...doors(one, nothing),
    state: 'unconfirmed',
    purpose: 'call',
    absentLooks: nothing.absentLooks + (missed && !one.at.hasNext ? 1 : 0),
  };
}

function atCall(one: Case, nothing: Expected): Partial<Expected> {
  const { outcome, at } = one;
  const { kind } = at;
  const shared = doors(one, nothing);
  switch (outcome.kind) {
    case 'rejected':
      return { ...shared, ...refused(one, nothing) };
    case 'missing':
      if (kind === 'submit') return { ...shared, ...dead('misconfigured', one, nothing) };
      if (kind !== 'poll') return { ...shared, spent: 1, purpose: 'check' };
      // Of an order whose id is known a single read is no verdict; a list that is missing is no read at all.
      return { ...shared, spent: 1, state: at.ofAccount ? 'rejected' : 'succeeded' };
    case 'settled':
      // Before the step that makes the order there is nothing to be looked up.
      if (kind === 'submit' && at.hasNext) return { ...shared, ...dead(outcome.code, one, nothing) };
      if (kind === 'submit') return { ...shared, state: 'unconfirmed', spent: 1 };
      if (kind === 'poll') return { ...shared, state: 'rejected', spent: 1 };
      return { ...shared, spent: 1, purpose: 'check' };
    case 'failed':
      return { ...shared, state: 'retrying', spent: 1 };
    case 'unknown':
      return { ...shared, state: 'unconfirmed', spent: 1 };
    case 'throttled':
      return { ...shared, state: 'waiting', waitReason: 'rate_limited' };
    case 'waiting':
      return { ...shared, state: 'waiting', waitReason: outcome.reason };
    case 'gone':
      return { ...shared, ...dead(outcome.code, one, { ...nothing, ...shared }) };
    case 'blocked':
      if (outcome.code === 'misconfigured') return { ...shared, ...dead('misconfigured', one, nothing) };
      return { ...shared, state: 'waiting', waitReason: 'auth' };
    default:
      throw new Error(`no row has the outcome ${outcome.kind}`);
  }
}

/** The content is at fault: the shop's matter, and nothing for an operator. */
function refused({ outcome, at }: Case, { order }: Expected): Partial<Expected> {
  const failed = at.kind === 'submit' && order !== null && outcome.kind === 'rejected';
  return {
    state: 'rejected',
    spent: 1,
    order: failed ? { status: 'failed', failure: outcome.code, attention: null } : order,
  };
}

/** Needs a human. A read never does. */
function dead(code: string, { at }: Case, { order, alerts }: Expected): Partial<Expected> {
  if (at.kind === 'poll') return { state: 'rejected', spent: 1 };
  return {
    state: 'dead',
    spent: 1,
    letters: [{ code, ambiguous: false, state: 'open' }],
    alerts: [...alerts, 'dead_letter'].sort(),
    order: order === null ? null : { ...order, attention: code },
  };
}

/** How often a row that may be tried again is tried, before a human or (for a read) nobody is asked. */
export function budgetOf({ rule }: Case, policy: Pick<ProviderPolicy, 'attempts'>): number {
  return rule.attempts ?? policy.attempts;
}
