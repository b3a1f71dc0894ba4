/** What the code decides, put into the words of the decision table. */
import { judgeLook, type LookFacts } from '../../src/confirm/judge.js';
import { type Decision, decide, type OperationFacts } from '../../src/policy/decide.js';
import type { Outcome } from '../../src/policy/outcome.js';
import type { ProviderPolicy } from '../../src/policy/policy.js';
import { NOW } from './arbitraries.js';
import { OPERATION_OF, STRIKE, type TableStep } from './decision-table.js';

const HOUR_MS = 3_600_000;

export type Turn = 'first' | 'last';

export function factsOf(step: TableStep, turn: Turn, policy: ProviderPolicy): OperationFacts {
  const { kind, purpose } = OPERATION_OF[step];
  const last = turn === 'last';
  return {
    kind,
    purpose,
    attempts: last ? policy.attempts - 1 : 0,
    calls: last ? 5 : 0,
    strikes: last ? 5 : 0,
    deadline: last ? NOW : null,
    hasNextStep: false,
    repeatable: step !== 'submit',
    checked: purpose === 'check' ? { code: 'refused_before', message: 'refused' } : null,
  };
}

const CONFIRM = { graceMs: 5_000, looks: 4, spacingMs: 30_000 };

function lookFacts(turn: Turn): LookFacts {
  const last = turn === 'last';
  return {
    counts: true,
    caller: 'spoken',
    absentLooks: last ? 3 : 0,
    looks: last ? 3 : 0,
    deadline: last ? NOW : null,
    waitSince: NOW - 60_000,
  };
}

/** What the code decides, in the words of the table; times with the least and the largest draw. */
export function decided(outcome: Outcome, step: TableStep, turn: Turn, policy: ProviderPolicy): string {
  const facts = factsOf(step, turn, policy);
  const low = decide(outcome, facts, policy, null, NOW, () => 0);
  const high = decide(outcome, facts, policy, null, NOW, () => 1);
  const main = step === 'look' ? lookInWords(outcome, turn) : inWords(low, high);
  // Of what a look decides only the doors count: gate, pause and token are the account's matter.
  const atDoors = [low.gate, low.pause, low.refresh].some((part) => part !== undefined);
  const doors = step === 'look' && !atDoors ? [] : doorsInWords(low, high);
  return [main, ...doors].join('; ');
}

function lookInWords(outcome: Outcome, turn: Turn): string {
  const result = judgeLook(outcome, lookFacts(turn), CONFIRM, NOW);
  switch (result.kind) {
    case 'found':
    case 'taken':
      return `is ${result.kind}`;
    case 'absent':
      return 'is proven absent';
    case 'again':
      return `looks again in ${result.delayMs} ms, ${result.counted ? 'counted' : 'not counted'}`;
    case 'several':
      return 'has several candidates';
    case 'expired':
      return `expires as ${result.code}`;
  }
}

function inWords(low: Decision, high: Decision): string {
  const spends = `spends ${low.spend}`;
  switch (low.kind) {
    case 'succeed':
      return `succeeds, ${spends}`;
    case 'next':
      return `goes on with its next step, ${spends}`;
    case 'check':
      return `is checked, ${spends}`;
    case 'retry':
      return `retries in ${range(low.delayMs, delayOf(high))} ms, ${spends}`;
    case 'giveBack':
      return `is given back for ${range(low.delayMs, delayOf(high))} ms, ${spends}`;
    case 'wait': {
      const end = low.deadlineMs === null ? 'for ever' : `at most ${low.deadlineMs / HOUR_MS} h`;
      return `waits for ${low.reason}, ${range(low.delayMs, delayOf(high))} ms, ${end}, ${spends}`;
    }
    case 'confirm':
      return `is confirmed, ${low.mayRepeat ? 'may be sent again' : 'never sent again'}, ${spends}`;
    case 'reject':
      return `is rejected as ${low.code}, ${spends}`;
    case 'die':
      return `dies of ${low.code}, ${low.ambiguous ? 'may have been done' : 'certainly not done'}, ${spends}`;
  }
}

function doorsInWords(low: Decision, high: Decision): string[] {
  const { gate, pause, refresh, misconfigured, alert } = low;
  return [
    ...(gate === undefined
      ? []
      : [
          `closes ${gate.verb ?? 'all'} for ${range(gate.forMs, high.gate?.forMs ?? Number.NaN)} ms${gate.strike ? STRIKE : ''}`,
        ]),
    ...(pause === undefined ? [] : [`pauses ${pause.code}`]),
    ...(refresh === true ? ['refreshes the token'] : []),
    ...(misconfigured === true ? ['counts as misconfigured'] : []),
    ...(alert === undefined ? [] : [`alert ${alert}`]),
  ];
}

function delayOf(decision: Decision): number {
  return 'delayMs' in decision ? decision.delayMs : Number.NaN;
}

const range = (from: number, to: number) => `${from}..${to}`;
