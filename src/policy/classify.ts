/**
 * From an HTTP result to an outcome: the provider's own rules first, by its code and then by the status, and
 * where its document is silent the general rules below. Pure.
 */
import type { HttpResult, ProviderError } from './answer.js';
import { type Outcome, unreachable } from './outcome.js';
import type { PolicyRule, ProviderPolicy } from './policy.js';
import { type LimitReading, readRateLimit } from './rate-limit.js';
import { parseRetryAfter } from './retry-after.js';

/** The step that was taken, as far as classification depends on it. */
export interface StepFacts {
  name: string;
  /** May be sent again without harm. */
  repeatable: boolean;
  /** Changes something at the provider. */
  writes: boolean;
}

export interface Classified {
  outcome: Outcome;
  /** The rule that decided, for the timeline. */
  rule: PolicyRule | null;
}

const general = (rule: Omit<PolicyRule, 'source' | 'evidence'>): PolicyRule => ({
  ...rule,
  source: 'General rules: outcome of an HTTP observation',
  evidence: 'assumed',
});

/** What a status means where a provider's document says nothing. Order matters: the first that fits. */
export const GENERAL_RULES: readonly PolicyRule[] = [
  general({ id: 'general/too-early', status: 425, outcome: 'throttled', meaning: 'Not processed yet' }),
  general({ id: 'general/throttled', status: 429, outcome: 'throttled', meaning: 'Too many requests' }),
  general({
    id: 'general/unauthorized',
    status: 401,
    outcome: 'blocked',
    block: 'auth',
    meaning: 'Credentials refused',
  }),
  general({
    id: 'general/forbidden',
    status: 403,
    outcome: 'blocked',
    block: 'auth',
    meaning: 'Not allowed',
  }),
  general({
    id: 'general/payment',
    status: 402,
    outcome: 'blocked',
    block: 'auth',
    meaning: 'The provider wants payment',
  }),
  general({ id: 'general/not-found', status: 404, outcome: 'missing', meaning: 'Not found' }),
  general({
    id: 'general/conflict',
    status: 409,
    outcome: 'settled',
    meaning: 'Conflicts with what is there',
  }),
  general({ id: 'general/gone', status: 410, outcome: 'gone', meaning: 'Retired' }),
  general({
    id: 'general/method',
    status: [405, 406],
    outcome: 'blocked',
    block: 'misconfigured',
    meaning: 'Our URL or method is wrong',
  }),
  general({
    id: 'general/media-type',
    status: 415,
    outcome: 'blocked',
    block: 'misconfigured',
    meaning: 'Our media type is wrong',
  }),
  general({
    id: 'general/redirect',
    status: [300, 399],
    outcome: 'blocked',
    block: 'misconfigured',
    meaning: 'Redirects are not followed: our URL is wrong',
  }),
  general({ id: 'general/timeout', status: 408, outcome: 'unknown', meaning: 'The server gave up waiting' }),
  general({
    id: 'general/rejected',
    status: [400, 499],
    outcome: 'rejected',
    meaning: 'The content is at fault',
  }),
  general({
    id: 'general/internal-error',
    status: 500,
    outcome: 'unknown',
    alert: true,
    meaning: 'Unexpected server error',
  }),
  general({ id: 'general/server-error', status: [501, 599], outcome: 'unknown', meaning: 'Server trouble' }),
  general({
    id: 'general/informational',
    status: [100, 199],
    outcome: 'unknown',
    meaning: 'No final answer',
  }),
];

/**
 * @param result what the HTTP layer brought back
 * @param step the step that was taken
 * @param policy the provider's rules
 * @param read reads a 2xx answer; null where it cannot be trusted (no id, no JSON, wrong shape)
 * @param readError reads the provider's error envelope; must not throw on any body
 * @param statusOf the status that an answer stands for, where a provider refuses under 200
 */
export function classify(
  result: HttpResult,
  step: StepFacts,
  policy: ProviderPolicy,
  read: (answer: HttpResult & { kind: 'answered' }) => Outcome | null,
  readError: (answer: HttpResult & { kind: 'answered' }) => ProviderError,
  statusOf: (answer: HttpResult & { kind: 'answered' }) => number = ({ status }) => status,
): Classified {
  switch (result.kind) {
    case 'notSent':
      return { outcome: { kind: 'notSent', code: result.code, message: result.message }, rule: null };
    case 'unknown':
      return { outcome: doubtful(step, result.code, result.message), rule: null };
    case 'answered': {
      const status = statusOf(result);
      if (status >= 200 && status < 300) {
        const outcome = read(result);
        if (outcome !== null) return { outcome, rule: null };
        return {
          outcome: doubtful(step, 'unreadable_answer', `the answer under ${result.status} could not be read`),
          rule: null,
        };
      }
      const error = readError(result);
      const rule =
        findRule(policy.rules, status, step.name, error.code) ??
        findRule(GENERAL_RULES, status, step.name, error.code);
      if (rule === null) {
        return { outcome: doubtful(step, `http_${result.status}`, error.message), rule: null };
      }
      return { outcome: outcomeOf(rule, error, result, step, policy), rule };
    }
    default:
      return unreachable(result);
  }
}

/** A call without a trustworthy answer: harmless where the step may be repeated, else possibly done. */
function doubtful(step: StepFacts, code: string, message: string): Outcome {
  return step.repeatable ? { kind: 'failed', code, message } : { kind: 'unknown', code, message };
}

function findRule(
  rules: readonly PolicyRule[],
  status: number,
  step: string,
  code: string | undefined,
): PolicyRule | null {
  const fits = (rule: PolicyRule) =>
    (typeof rule.status === 'number'
      ? rule.status === status
      : status >= rule.status[0] && status <= rule.status[1]) &&
    (rule.steps === undefined || rule.steps.includes(step));
  const byCode = rules.find((rule) => rule.code !== undefined && rule.code === code && fits(rule));
  return byCode ?? rules.find((rule) => rule.code === undefined && fits(rule)) ?? null;
}

function outcomeOf(
  rule: PolicyRule,
  error: ProviderError,
  answer: HttpResult & { kind: 'answered' },
  step: StepFacts,
  policy: ProviderPolicy,
): Outcome {
  const code = error.code ?? `http_${answer.status}`;
  const message = error.message;
  const named = retryAfterTime(answer);
  const until = named ?? error.retryAt ?? null;
  const timed = until === null ? {} : { retryAt: until };
  switch (rule.outcome) {
    case 'rejected':
      return {
        kind: 'rejected',
        code,
        message,
        ...(error.fields === undefined ? {} : { fields: error.fields }),
      };
    case 'missing':
      // A proxy's 404 says nothing of an order; on a write it says that our URL is wrong.
      if (!error.own && !step.writes) return { kind: 'failed', code: 'foreign_not_found', message };
      return { kind: 'missing', code, message };
    case 'settled':
      return { kind: 'settled', code, message };
    case 'gone':
      return { kind: 'gone', code, message };
    case 'failed':
      return { kind: 'failed', code, message, ...timed };
    case 'unknown': {
      const outcome = doubtful(step, code, message);
      return outcome.kind === 'failed' ? { ...outcome, ...timed } : outcome;
    }
    case 'throttled': {
      const retryAt = named ?? resetTime(answer, policy);
      return { kind: 'throttled', code, message, ...(retryAt === null ? {} : { retryAt }) };
    }
    case 'blocked':
      return { kind: 'blocked', code: rule.block ?? 'auth', message };
    case 'waiting':
      return {
        kind: 'waiting',
        reason: rule.wait?.reason ?? 'window',
        scope: rule.wait?.scope ?? 'order',
        code,
        message,
        ...timed,
      };
    default:
      return unreachable(rule.outcome);
  }
}

type Answered = HttpResult & { kind: 'answered' };

function answerTime(answer: Answered): { receivedAt: number; date?: string } {
  const { date } = answer.headers;
  return { receivedAt: answer.receivedAt, ...(typeof date === 'string' ? { date } : {}) };
}

/** When the answer says that calls are welcome again, epoch ms (RFC 9110, "Retry-After"). */
function retryAfterTime(answer: Answered): number | null {
  const delay = parseRetryAfter(answer.headers['retry-after'], answerTime(answer));
  return delay === null ? null : answer.receivedAt + delay;
}

/** What an answer's headers say of the account's limit; null where they say nothing of it. */
export function limitOf(answer: Answered, policy: Pick<ProviderPolicy, 'resetDialect'>): LimitReading | null {
  return readRateLimit(answer.headers, { dialect: policy.resetDialect, ...answerTime(answer) });
}

/**
 * The reset of the rate limit, epoch ms; Retry-After wins over it (RateLimit draft). Some providers send it with
 * every answer, so it means something only where the limit was the trouble.
 */
function resetTime(answer: Answered, policy: ProviderPolicy): number | null {
  return limitOf(answer, policy)?.resetAt ?? null;
}
