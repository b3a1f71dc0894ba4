/** The envelopes that every answer comes in ("Responses"), and the bare ones of the OAuth endpoints. */
import type { Answer } from '../kit.js';
import { type Language, SENTENCE, type Text } from './language.js';
import type { Complaints } from './reader.js';

export interface Pagination {
  count: number;
  total: number;
  perPage: number;
  currentPage: number;
  totalPages: number;
  links: { previous?: string; next?: string };
}

/** The slugs of "Responses"; the samples there spell some codes differently, see `codeOf`. */
const SLUGS: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  410: 'gone',
  422: 'validation_failed',
  429: 'too_many_requests',
  500: 'server_error',
  503: 'service_unavailable',
};

export const NO_CONTENT = 204;

/** The envelope of a success; `status` repeats the HTTP status. A 204 carries nothing. */
export function success(status: number, data: unknown, pagination?: Pagination): Answer {
  if (status === NO_CONTENT) return { status, body: undefined };
  return {
    status,
    body: { status, success: true, data, ...(pagination === undefined ? {} : { pagination }) },
  };
}

/** The success of something that has no object to show. */
export function done(status: number, message: string | null): Answer {
  return success(status, { message, code: status });
}

export function refusal(status: number, message: string, fields?: Record<string, string[]>): Answer {
  return { status, body: envelope(status, message, fields) };
}

/** The 422 that names fields, each with all its messages. */
export function invalid(complaints: Complaints, language: Language): Answer {
  // An i18n key instead of a sentence, as in the sample of "Responses".
  return refusal(422, 'alert.invalid_fields', complaints.render(language));
}

/** The 400 that names filters. */
export function badFilters(complaints: Complaints, language: Language): Answer {
  return refusal(400, SENTENCE.badFilters[language], complaints.render(language));
}

/** A request that is well formed, but that the state of things forbids. */
export function impossible(field: string, why: Text, language: Language): Answer {
  return refusal(422, why[language], { [field]: [why[language]] });
}

export function envelope(status: number, message: string, fields?: Record<string, string[]>): unknown {
  if (status < 400) return { status, success: true, data: { message, code: status } };
  const error = { code: codeOf(status), message, ...(fields === undefined ? {} : { fields }) };
  return { status, success: false, error };
}

/** The samples have `Unauthorized` and `error` where the table has slugs. */
function codeOf(status: number): string {
  if (status === 401) return 'Unauthorized';
  if (status === 422) return 'error';
  return SLUGS[status] ?? 'error';
}

/** RFC 6749, section 5.2: neither `status` nor `success`. */
export function oauthEnvelope(error: string, description: string): unknown {
  return { error, error_description: description };
}

/** What an OAuth server says by an HTTP status alone. */
export function oauthErrorOf(status: number): string {
  if (status === 401) return 'invalid_client';
  if (status === 403) return 'access_denied';
  if (status === 429 || status === 503) return 'temporarily_unavailable';
  return status < 500 ? 'invalid_request' : 'server_error';
}
