/** From a provider's policy table to what is walked: every row at every step that it rules. */
import type { HttpResult } from '../../../src/policy/answer.js';
import { classify } from '../../../src/policy/classify.js';
import type { Outcome } from '../../../src/policy/outcome.js';
import type { PolicyRule } from '../../../src/policy/policy.js';
import type { OpenAccount, Step } from '../../../src/providers/provider.js';
import { type Subject, stepsOf, type Told, type WalkedStep } from './subject.js';

/** One row of the table at one step. */
export interface Case {
  rule: PolicyRule;
  told: Told;
  outcome: Outcome;
  at: WalkedStep;
}

/** A row at a step that is none of a verb's: the probe, and the two calls of a one-time password. */
export interface SideCase {
  rule: PolicyRule;
  told: Told;
  outcome: Outcome;
  step: Step;
  of: 'probe' | 'otp-request' | 'otp-verify';
}

export interface Cases {
  rule: PolicyRule;
  walked: Case[];
  beside: SideCase[];
}

/** One entry per row, in the table's order; a row that no step can meet has none of either. */
export function casesOf(subject: Subject, account: OpenAccount): Cases[] {
  const isWalked = ({ name }: Step) => subject.only?.includes(name) ?? true;
  const walked = stepsOf(account).filter(({ step }) => isWalked(step));
  const beside: Pick<SideCase, 'step' | 'of'>[] = [
    { step: account.reads.probe, of: 'probe' },
    ...(account.otp === undefined
      ? []
      : [
          { step: account.otp.request, of: 'otp-request' } as const,
          { step: account.otp.verify, of: 'otp-verify' } as const,
        ]),
  ];
  return account.policy.rules.map((rule) => {
    const met = (step: Step) =>
      statusesOf(rule).flatMap((status) => {
        const told = subject.refusal(status, rule.code, step.name);
        const judged = judge(account, step, told);
        return judged.rule?.id === rule.id ? [{ rule, told, outcome: judged.outcome }] : [];
      });
    return {
      rule,
      walked: walked.flatMap((at) => met(at.step).map((one) => ({ ...one, at }))),
      beside: beside
        .filter(({ step }) => isWalked(step))
        .flatMap(({ step, of }) => met(step).map((one) => ({ ...one, step, of }))),
    };
  });
}

/** Both ends of a range; the one that another row has taken meets no step. */
function statusesOf({ status }: PolicyRule): number[] {
  return typeof status === 'number' ? [status] : [...new Set(status)];
}

function judge(account: OpenAccount, step: Step, { status, headers = {}, body }: Told) {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? null);
  const answer: HttpResult = {
    kind: 'answered',
    status,
    headers,
    body: text,
    json: parsed(text),
    receivedAt: 0,
  };
  const facts = { name: step.name, repeatable: step.repeatable, writes: step.writes };
  return classify(answer, facts, account.policy, () => null, account.readError, account.statusOf);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON, as the HTTP layer has it.
    return undefined;
  }
}
