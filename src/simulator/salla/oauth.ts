/** The two OAuth endpoints that a running app needs: the token endpoint and who the merchant is. */
import type { Answer, Call, Route } from '../kit.js';
import { isObject } from '../reader.js';
import { oauthEnvelope } from './answers.js';
import type { SallaSimulatorOptions } from './options.js';
import type { TokenPair, TokenVault } from './tokens.js';

export const OAUTH_PREFIX = '/oauth2';
export const TOKEN_PATH = `${OAUTH_PREFIX}/token`;
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Which of the two fields tells when an access token ends; the documentation has both. */
export type TokenExpiry = 'expires' | 'expires_in' | 'both';

export function oauthRoutes(vault: TokenVault, options: SallaSimulatorOptions, merchantId: number): Route[] {
  return [
    {
      verb: 'token',
      method: 'POST',
      path: TOKEN_PATH,
      isPublic: true,
      references: () => [],
      handle: (call) => token(vault, options, call),
    },
    {
      verb: 'user',
      method: 'GET',
      path: `${OAUTH_PREFIX}/user/info`,
      references: () => [],
      handle: () => ({ status: 200, body: userInfo(merchantId) }),
    },
  ];
}

/** "Token rules": form-encoded, the client's own credentials in the form too. Only refreshing is offered. */
function token(vault: TokenVault, options: SallaSimulatorOptions, call: Call): Answer {
  const isForm = call.headers['content-type']?.toLowerCase().startsWith(FORM_TYPE) === true;
  if (!isForm || !isObject(call.body)) {
    return oauthRefusal(400, 'invalid_request', 'The body must be a form.');
  }
  const { grant_type: grantType, refresh_token: refreshToken, client_id: id } = call.body;
  if (typeof grantType !== 'string' || grantType === '') {
    return oauthRefusal(400, 'invalid_request', 'The form has no grant_type.');
  }
  if (id !== options.clientId || call.body.client_secret !== options.clientSecret) {
    return oauthRefusal(401, 'invalid_client', 'The client is unknown or its secret is wrong.');
  }
  if (grantType !== 'refresh_token') {
    return oauthRefusal(400, 'unsupported_grant_type', 'Only refresh_token is offered here.');
  }
  if (typeof refreshToken !== 'string' || refreshToken === '') {
    return oauthRefusal(400, 'invalid_request', 'The form has no refresh_token.');
  }
  const pair = vault.refresh(refreshToken);
  if (pair === undefined) {
    // One sentence for all causes, as documented: it tells nothing apart.
    return oauthRefusal(
      401,
      'invalid_grant',
      'The grant or refresh token is invalid, expired, revoked or was given to another client.',
    );
  }
  return {
    status: 200,
    body: tokenFields(pair, vault.scopes, options.tokenExpiry ?? 'expires', options.time.clock.now()),
    headers: { 'Cache-Control': 'no-store' },
  };
}

/** As the token endpoint answers them and `app.store.authorize` brings them; `expires` is absolute, in seconds. */
export function tokenFields(pair: TokenPair, scopes: readonly string[], expiry: TokenExpiry, now: number) {
  return {
    token_type: 'bearer',
    access_token: pair.accessToken,
    refresh_token: pair.refreshToken,
    ...(expiry === 'expires_in' ? {} : { expires: Math.floor(pair.expiresAt / 1000) }),
    ...(expiry === 'expires' ? {} : { expires_in: Math.floor((pair.expiresAt - now) / 1000) }),
    scope: scopes.join(' '),
  };
}

/** Has no `data` around it. */
function userInfo(merchantId: number) {
  return {
    id: merchantId + 1,
    name: 'Sam Simulator',
    email: 'owner@store.example',
    mobile: '+966500000000',
    role: 'user',
    merchant: {
      id: merchantId,
      username: 'simulated-store',
      name: 'متجر المحاكاة',
      plan: 'plus',
      status: 'active',
      domain: 'https://store.example/simulated-store',
    },
  };
}

function oauthRefusal(status: number, error: string, description: string): Answer {
  return { status, body: oauthEnvelope(error, description), headers: { 'Cache-Control': 'no-store' } };
}
