/** What a process tells of its own work, to be counted. Whoever works knows this interface and nothing of metrics. */
import type { Fulfilled } from '../fulfil/deps.js';
import type { OperationKind, OperationState, Purpose } from '../orders/order.js';
import type { Claim, Refusal } from '../orders/store/claim.js';
import type { OutcomeKind } from '../policy/outcome.js';

/** What a call was for: the operation's verb, one of the purposes beside it, or `ask`, which no operation runs. */
export type Verb = OperationKind | Exclude<Purpose, 'call'> | 'ask';

/** One call to a provider, after it was judged. */
export interface Attempted {
  account: string;
  provider: string;
  verb: Verb;
  outcome: OutcomeKind;
  /** From the request to the end of its answer, ms; null where no byte left us. */
  durationMs: number | null;
}

/** One bell that was answered; `failed` where it could not be settled. */
export interface Answered {
  account: string;
  kind: OperationKind;
  result: Fulfilled['kind'] | 'failed';
}

/** One request of the HTTP API. */
export interface Requested {
  method: string;
  /** The route's pattern; null where there is none. */
  route: string | null;
  status: number;
}

/** Counts. Nothing of it throws, and nothing waits. */
export interface Meter {
  attempted(attempt: Attempted): void;
  /** An operation was claimed, or was not. */
  claimed(result: 'claimed' | Refusal): void;
  /** An operation was moved to a state; not applied where it was somebody else's by then. */
  settled(state: OperationState, applied: boolean): void;
  answered(bell: Answered): void;
  requested(request: Requested): void;
}

/** What the call of a claim was for. */
export function verbOf({ kind, purpose }: Pick<Claim, 'kind' | 'purpose'>): Verb {
  return purpose === 'call' ? kind : purpose;
}
