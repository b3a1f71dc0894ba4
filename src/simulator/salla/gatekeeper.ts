/** Who is let in: the 401 cases of "Responses", the block after many errors, the store's budget, scopes. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Answer, Asked } from '../kit.js';
import { refusal } from './answers.js';
import { languageOf, SENTENCE } from './language.js';
import { OAUTH_PREFIX } from './oauth.js';
import { missingScopes } from './scopes.js';
import type { ErrorBlock, StoreBudget } from './throttle.js';
import type { TokenVault, UserState } from './tokens.js';

// "401 Cases": callers can tell them apart by these texts only, in whatever language they ask.
const INVALID_TOKEN = 'The access token is invalid';
const USER_TEXTS: Readonly<Record<Exclude<UserState, 'active'>, string>> = {
  deleted: 'The User is not exists.',
  inactive: 'عفوا، حسابك غير مفعل',
};
const SCOPE_TEXT = 'The access token should have access to one of those scopes: ';
// The documentation shows no sample for credentials that are none.
const NO_TOKEN = 'Unauthenticated';

export class Gatekeeper {
  readonly #vault: TokenVault;
  readonly #budget: StoreBudget;
  readonly #block: ErrorBlock;

  constructor(vault: TokenVault, budget: StoreBudget, block: ErrorBlock) {
    this.#vault = vault;
    this.#budget = budget;
    this.#block = block;
  }

  /** Calls without a good token belong to no store, so they count for none. */
  admit(headers: IncomingHttpHeaders, asked: Asked): Answer | undefined {
    const token = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) return refusal(401, NO_TOKEN);
    if (!this.#vault.accepts(token)) return refusal(401, INVALID_TOKEN);
    const { user } = this.#vault;
    if (user !== 'active') return refusal(401, USER_TEXTS[user]);
    // Another host, with no store behind it.
    if (asked.path.startsWith(OAUTH_PREFIX)) return undefined;
    return this.#admitToStore(headers, asked);
  }

  /** Notes an answer of the store's own. */
  hear(answer: Answer): Answer {
    if (answer.status >= 400 && answer.status < 500) this.#block.count();
    return answer;
  }

  /** The headers of every answer of the store. */
  headers(asked: Asked): Readonly<Record<string, string>> {
    return asked.path.startsWith(OAUTH_PREFIX) ? {} : this.#budget.headers();
  }

  #admitToStore(headers: IncomingHttpHeaders, asked: Asked): Answer | undefined {
    const language = languageOf(headers);
    if (this.#block.refuses()) return refusal(403, SENTENCE.blocked[language]);
    if (!this.#budget.take()) {
      const answer = refusal(429, SENTENCE.tooMany[language]);
      return this.hear({ ...answer, headers: this.#budget.retryHeaders() });
    }
    if (!acceptsJson(headers.accept)) return this.hear(refusal(406, SENTENCE.notAcceptable[language]));
    const missing = missingScopes(asked.verb, this.#vault.scopes);
    if (missing !== undefined) return this.hear(refusal(401, SCOPE_TEXT + missing.join(', ')));
    return undefined;
  }
}

function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || /(application|\*)\/(json|\*)/i.test(accept);
}
