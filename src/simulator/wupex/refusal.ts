/** The ways in which WUPEX says no (WUPEX document, "Errors"). */

/** A refusal before it takes the shape of an answer. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
}

/** A value, or why there is none. */
export type Checked<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

/** The first seven are documented words; the others stand for statuses that are documented without one. */
const CODES: ReadonlyMap<number, string> = new Map([
  [400, 'INVALID_PAYLOAD'],
  [401, 'UNAUTHORIZED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [429, 'TOO_MANY_REQUESTS'],
  [500, 'INTERNAL_ERROR'],
  [503, 'SERVICE_UNAVAILABLE'],
  [409, 'CONFLICT'],
  [413, 'PAYLOAD_TOO_LARGE'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'],
  [422, 'UNPROCESSABLE_ENTITY'],
]);

/** Without `code`: the word that goes with the status; a status that has none gets one of its number. */
export function refusal(
  status: number,
  message: string,
  code = CODES.get(status) ?? `HTTP_${status}`,
): Refusal {
  return { status, code, message };
}

export function refuse<T>(...reason: Parameters<typeof refusal>): Checked<T> {
  return { ok: false, refusal: refusal(...reason) };
}
