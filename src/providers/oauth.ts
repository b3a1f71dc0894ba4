/**
 * Rotating OAuth2 tokens (RFC 6749): what the accounts file holds, how the next pair is asked for, and what the
 * answer is worth. Each refresh token is good once, so an answer that cannot be trusted may have cost the chain.
 */
import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import type { Answer } from '../policy/answer.js';
import { parseRetryAfter } from '../policy/retry-after.js';
import type { Refreshed, TokenRotation } from './provider.js';
import { clean } from './reading.js';
import { headerValue } from './settings.js';

const NOT_A_TIME = 'must be seconds since 1970, or an ISO 8601 time with its zone';

/** In either notation; out comes ISO 8601, which reads the same a second time. */
const instant = z
  .union([z.number(), z.string()], { error: NOT_A_TIME })
  .transform((told) => {
    const written = String(told);
    if (/^\d{1,11}$/.test(written)) return Number(written) * 1_000;
    return /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:\d{2})$/.test(written) ? Date.parse(written) : Number.NaN;
  })
  .refine((ms) => !Number.isNaN(ms), { error: NOT_A_TIME, abort: true })
  .transform((ms) => new Date(ms).toISOString());

/** A client, and the pair of tokens that it begins with. */
export const tokenCredentials = z.strictObject({
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  accessToken: headerValue,
  refreshToken: z.string().min(1),
  expiresAt: instant,
});

/** What differs from one provider to another. */
export interface TokenEndpoint {
  tokenUrl: string;
  /** Refreshed so long before they end, ms. */
  aheadMs: number;
}

/** Refreshes with the client's own credentials in the form (RFC 6749, section 2.3.1). */
export function rotateTokens(
  credentials: z.output<typeof tokenCredentials>,
  endpoint: TokenEndpoint,
): TokenRotation {
  const { clientId, clientSecret, accessToken, refreshToken, expiresAt } = credentials;
  return {
    initial: { accessToken, refreshToken, expiresAt: Date.parse(expiresAt) },
    aheadMs: endpoint.aheadMs,
    request: (tokens) => ({
      method: 'POST',
      url: endpoint.tokenUrl,
      headers: { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens.refreshToken,
        client_id: clientId,
        client_secret: clientSecret,
      }).toString(),
    }),
    read: (answer) => readTokens(answer, clientId, endpoint.tokenUrl),
  };
}

/** What a token endpoint says before it looks at the refresh token (RFC 6749, section 5.2). */
const NOT_USED: readonly string[] = [
  'invalid_request',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
];

/** Too many requests, or too early a one: not processed (RFC 6585, section 4; RFC 8470, section 5.2). */
const NOT_PROCESSED: readonly number[] = [429, 425];

function later({ status, headers, receivedAt }: Answer): Refreshed {
  const { date } = headers;
  const sent = typeof date === 'string' ? { date } : {};
  const delayMs = parseRetryAfter(headers['retry-after'], { receivedAt, ...sent });
  return {
    kind: 'later',
    code: `http_${status}`,
    ...(delayMs === null ? {} : { retryAt: receivedAt + delayMs }),
  };
}

/** Null where the refresh token may have been used and no new pair came. */
async function readTokens(answer: Answer, clientId: string, tokenUrl: string): Promise<Refreshed | null> {
  if (NOT_PROCESSED.includes(answer.status)) return later(answer);
  const server = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl };
  try {
    const told = await oauth.processRefreshTokenResponse(server, { client_id: clientId }, toResponse(answer));
    const { access_token: accessToken, refresh_token: refreshToken } = told;
    // Without a new refresh token the chain has ended: the old one must not be sent again.
    if (refreshToken === undefined || !headerValue.safeParse(accessToken).success) return null;
    return { kind: 'tokens', tokens: { accessToken, refreshToken, expiresAt: readExpiry(answer) } };
  } catch (error) {
    // Anything else that the library refuses is an answer that cannot be trusted.
    if (!(error instanceof oauth.ResponseBodyError)) return null;
    const code = clean(error.error, 100);
    // Typed as text, and yet whatever the server sent.
    const said: unknown = error.error_description;
    const message = typeof said === 'string' ? clean(said) : `the token endpoint says ${code}`;
    if (code === 'invalid_grant') return { kind: 'revoked', code, message };
    return NOT_USED.includes(code) ? { kind: 'refused', code, message } : null;
  }
}

/** The pair itself, for the OAuth library to judge. */
const tokenPair = z.object({ access_token: z.unknown(), refresh_token: z.unknown() });

/**
 * The answer as the OAuth library takes it. Only what decides is handed on: neither may a pair be lost, and its
 * refresh token with it, for a type that was left out, nor a refusal be hidden behind a challenge in its head.
 */
function toResponse({ status, body, json }: Answer): Response {
  const headers = { 'content-type': 'application/json' };
  if (status < 200 || status > 299) return new Response(body, { status, headers });
  const pair = { token_type: 'bearer', ...tokenPair.safeParse(json).data };
  return new Response(JSON.stringify(pair), { status: 200, headers });
}

const seconds = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,12}$/)
      .transform(Number),
  ])
  .nullish()
  .catch(null);

const tokenExpiry = z.object({ expires: seconds, expires_in: seconds });

// Below the first, seconds since 1970 are a day in 2001; above the second, one in 5138.
const EARLIEST_S = 1e9;
const LATEST_S = 1e11;

/**
 * When the access token of a new pair ends, epoch ms; null where the answer does not say. `expires_in` is a duration
 * (RFC 6749, section 5.1); a moment under `expires` is what some servers send in its place, or beside it.
 */
function readExpiry(answer: Answer): number | null {
  const { expires, expires_in: lasts } = tokenExpiry.safeParse(answer.json).data ?? {};
  if (typeof expires === 'number' && expires >= EARLIEST_S && expires < LATEST_S) return expires * 1_000;
  if (typeof lasts === 'number' && lasts > 0 && lasts < LATEST_S) return answer.receivedAt + lasts * 1_000;
  return null;
}
