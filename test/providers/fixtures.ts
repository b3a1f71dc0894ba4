/** What the tests of all adapters start from: an account, an order, the work of a step, and an answer to it. */
import type { FieldProblem, OrderBody } from '../../src/orders/body.js';
import type { OrderView } from '../../src/orders/order.js';
import type { Answer, HttpResult } from '../../src/policy/answer.js';
import { type Classified, classify } from '../../src/policy/classify.js';
import type { ProviderPolicy } from '../../src/policy/policy.js';
import type { OpenAccount, Provider, Step, Work } from '../../src/providers/provider.js';

/** An account with the provider's own policy. */
export function openAt(
  provider: Provider,
  account: { id: string; config: unknown; credentials: unknown },
): OpenAccount {
  return provider.open({ ...account, policy: provider.policy });
}

/** What a schema has against a value, each with its path. */
export function messages(schema: Provider['config'], value: unknown): string[] {
  return (
    schema.safeParse(value).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []
  );
}

/** Problems in short: the code of each, and where it is. */
export function inShort(problems: readonly FieldProblem[]): string[] {
  return problems.map(({ pointer, code }) => `${code} ${pointer}`);
}

/** An order of this body that has not been placed. */
export function viewOf(body: OrderBody, changes: Partial<OrderView> = {}): OrderView {
  return {
    id: '018f2f6e-0000-7000-8000-000000000001',
    reference: body.reference,
    providerReference: body.reference,
    generation: 1,
    body,
    providerOrderId: null,
    providerData: {},
    createdAt: new Date('2026-03-02T11:00:00Z'),
    ...changes,
  };
}

export function workFor(order?: OrderView, more: Partial<Work> = {}): Work {
  return { ...(order === undefined ? {} : { order }), params: {}, carry: {}, ...more };
}

/** An answer with a JSON body, or with a text that is none. */
export function answerOf(
  status: number,
  body: unknown,
  headers: Answer['headers'] = {},
  receivedAt = 0,
): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { kind: 'answered', status, headers, body: text, json: parsed(text), receivedAt };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The HTTP layer marks a body that is no JSON in this way.
    return undefined;
  }
}

/** What the result of a step comes to, by the account's own policy. */
export function judge(account: OpenAccount, step: Step, work: Work, result: HttpResult): Classified {
  return classify(
    result,
    step,
    account.policy,
    (answer) => step.read(work, answer),
    (answer) => account.readError(answer),
    account.statusOf,
  );
}

/** The JSON body of a step's request. */
export function sentBody(step: Step, work: Work): unknown {
  return JSON.parse(step.request(work).body ?? 'null');
}

/** Every step of an account, each once, those for one-time passwords included. */
export function stepsOf({ verbs, reads, otp }: OpenAccount): Step[] {
  return [
    ...Object.values(verbs).flat(),
    reads.get,
    reads.look,
    ...(reads.furtherLooks ?? []),
    reads.list?.step,
    reads.probe,
    otp?.request,
    otp?.verify,
  ].filter((step) => step !== undefined);
}

/** The step of this name among some; throws where there is none. */
export function stepOf(steps: readonly (Step | undefined)[] | undefined, name: string): Step {
  const step = steps?.find((one) => one?.name === name);
  if (step === undefined) throw new Error(`there is no step ${name}`);
  return step;
}

/** The account's step of this name; throws where it has none. */
export function stepNamed(account: OpenAccount, name: string): Step {
  return stepOf(stepsOf(account), name);
}

/** What a test cannot do without. */
export function existing<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('what the test needs is missing');
  return value;
}

/** Each rule of a table is named once, in this form, and says what it means and where it comes from. */
export function expectNamedRules({ rules }: ProviderPolicy, form: RegExp): void {
  const ids = rules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const rule of rules) {
    expect(rule.id).toMatch(form);
    expect(rule.meaning.length).toBeGreaterThan(0);
    expect(rule.source.length).toBeGreaterThan(0);
  }
}

/** The steps that a table names and an account does not have. */
export function strangeSteps({ rules }: ProviderPolicy, steps: readonly Step[]): string[] {
  const names = steps.map(({ name }) => name);
  return rules.flatMap((rule) => rule.steps ?? []).filter((name) => !names.includes(name));
}
