/** What a human is told, as data. Pure: sending is in notify.ts. */
import type { AlertCode } from '../policy/decide.js';
import { scrub } from '../redact.js';

export interface Alert {
  code:
    | AlertCode
    | 'dead_letter'
    /** Most calls of an account fail, and no more are made for a while; see gate/breaker.ts. */
    | 'breaker_open'
    | 'duplicate'
    | 'bug'
    | 'token_refresh_lost'
    | 'otp_not_sent'
    | 'unrecovered'
    /** Rows of ours contradict each other; see maintenance/invariants.ts. */
    | 'invariant'
    /** The provider holds other orders than we do; see maintenance/audit.ts. */
    | 'audit';
  severity: 'critical' | 'error' | 'warning';
  /** `*`: all of them. */
  account: string;
  orderId?: string;
  reference?: string;
  message: string;
  /** ISO 8601. */
  at: string;
  /** Equal alerts within a while are one. */
  dedupeKey: string;
}

const SEVERITY: Record<Alert['code'], Alert['severity']> = {
  internal_error: 'error',
  account_paused: 'critical',
  long_wait: 'warning',
  gone: 'error',
  funds: 'error',
  dead_letter: 'error',
  breaker_open: 'error',
  duplicate: 'critical',
  bug: 'critical',
  token_refresh_lost: 'critical',
  otp_not_sent: 'error',
  unrecovered: 'critical',
  invariant: 'critical',
  audit: 'critical',
};

/** Alerts about the account as a whole; the others are about one order. */
const ACCOUNT_WIDE: readonly Alert['code'][] = [
  'account_paused',
  'breaker_open',
  'long_wait',
  'funds',
  'token_refresh_lost',
];

/** What an alert is about. */
interface About {
  account: string;
  orderId?: string | undefined;
  reference?: string | undefined;
  message: string;
  /** Tells alerts of one code and account apart. */
  topic?: string | undefined;
}

/** @param at epoch ms */
export function alert(code: Alert['code'], about: About, at: number): Alert {
  const { account, orderId, reference, message, topic } = about;
  const subject = ACCOUNT_WIDE.includes(code) || orderId === undefined ? account : orderId;
  return {
    code,
    severity: SEVERITY[code],
    account,
    ...(orderId === undefined ? {} : { orderId }),
    ...(reference === undefined ? {} : { reference }),
    // It leaves the house, and may quote a provider.
    message: scrub(message),
    at: new Date(at).toISOString(),
    dedupeKey: topic === undefined ? `${code}:${subject}` : `${code}:${subject}:${topic}`,
  };
}
