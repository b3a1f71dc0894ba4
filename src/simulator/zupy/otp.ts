/** One-time codes and the sessions that they open ("OTP Verification Flow"). */
import type { Time } from '../../time.js';
import { contactKey } from './customers.js';
import { sessionToken } from './ids.js';

/** The code that was last sent to somebody, and how often one was asked for and tried. */
export interface SentCode {
  identifier: string;
  code: string;
  channel: 'whatsapp' | 'email';
  sentAt: number;
  expiresAt: number;
  /** How often a code was requested for this identifier, ever. */
  requests: number;
  /** How often this code was tried in vain. */
  failures: number;
  /** It opened a session, and opens no second one. */
  isSpent: boolean;
}

/** What a code turned out to be. */
export type Verdict = 'right' | 'not-requested' | 'wrong-or-expired' | 'too-many-attempts';

export const CODE_LIFE_MS = 300_000;
export const SESSION_LIFE_MS = 1_800_000;
/** The documents name the 429 but not the number. */
const MAX_FAILURES = 5;

export class OtpDesk {
  readonly #time: Time;
  readonly #sent = new Map<string, SentCode>();
  readonly #sessions = new Map<string, { customerId: string; endsAt: number }>();

  constructor(time: Time) {
    this.#time = time;
  }

  /** "Sends" a code; it takes the place of an earlier one. */
  request(identifier: string): SentCode {
    const key = contactKey(identifier);
    const now = this.#time.clock.now();
    const sent: SentCode = {
      identifier,
      code: String(Math.floor(this.#time.random() * 1_000_000)).padStart(6, '0'),
      channel: identifier.includes('@') ? 'email' : 'whatsapp',
      sentAt: now,
      expiresAt: now + CODE_LIFE_MS,
      requests: (this.#sent.get(key)?.requests ?? 0) + 1,
      failures: 0,
      isSpent: false,
    };
    this.#sent.set(key, sent);
    return sent;
  }

  /** Tries a code; a right one is spent. */
  verify(identifier: string, code: string): Verdict {
    const sent = this.#sent.get(contactKey(identifier));
    if (sent === undefined) return 'not-requested';
    if (sent.failures >= MAX_FAILURES) return 'too-many-attempts';
    if (sent.isSpent || sent.code !== code || this.#time.clock.now() >= sent.expiresAt) {
      sent.failures += 1;
      return 'wrong-or-expired';
    }
    sent.isSpent = true;
    return 'right';
  }

  /** The token of a session that lets this customer redeem and use. */
  openSession(customerId: string): string {
    const token = sessionToken();
    this.#sessions.set(token, { customerId, endsAt: this.#time.clock.now() + SESSION_LIFE_MS });
    return token;
  }

  /** Whether a token is one of this customer's and has not run out. */
  isOpen(token: string, customerId: string): boolean {
    const session = this.#sessions.get(token);
    return session?.customerId === customerId && this.#time.clock.now() < session.endsAt;
  }

  /** Ends all sessions before their time. */
  closeSessions(): void {
    this.#sessions.clear();
  }

  /** One for each identifier: the newest. */
  codes(): SentCode[] {
    return [...this.#sent.values()];
  }
}
