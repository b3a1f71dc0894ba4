/**
 * What one HTTP request came to, before anybody judged it. The HTTP layer makes these, the policies read them.
 */

/** An answer that arrived whole. */
export interface Answer {
  kind: 'answered';
  status: number;
  /** Lower-case names. */
  headers: Record<string, string | string[] | undefined>;
  /** The body as text; invalid UTF-8 replaced. */
  body: string;
  /** The body parsed, or undefined where it is no JSON. */
  json: unknown;
  /** When it had arrived, epoch ms. */
  receivedAt: number;
}

export type HttpResult =
  | Answer
  /** Nothing was written to a socket. */
  | { kind: 'notSent'; code: string; message: string }
  /** Something may have reached the provider, and no whole answer came back. */
  | { kind: 'unknown'; code: string; message: string };

/** What a provider's error envelope says. */
export interface ProviderError {
  /** The body is the provider's own envelope, not a proxy's page: only then does a 404 say that something is absent. */
  own: boolean;
  code?: string;
  message: string;
  fields?: Record<string, string[]>;
  /** When the trouble ends, epoch ms, where the provider's configuration tells and its answer does not. */
  retryAt?: number;
}
