/**
 * Zupy's errors: RFC 7807 objects whose `type` ends in a name ("Error Reference"). What does not come from
 * the application, such as a gateway's 502, is a page of HTML and has none of this.
 */
import { STATUS_CODES } from 'node:http';
import type { Answer } from '../kit.js';

/** Where the names of problems live: behind a `#` ("Error Reference") or as a path ("Authentication"). */
export type TypeForm = 'fragment' | 'path';

export interface FieldError {
  field: string;
  detail: string;
}

const PROBLEMS = {
  'not-found': { status: 404, title: 'Not Found' },
  'validation-error': { status: 422, title: 'Validation Error' },
  'authentication-required': { status: 401, title: 'Authentication Required' },
  'permission-denied': { status: 403, title: 'Permission Denied' },
  // The title does not say it: the sample shows the general one.
  'otp-required': { status: 403, title: 'Permission Denied' },
  'integration-not-found': { status: 403, title: 'Integration Not Found' },
  'insufficient-balance': { status: 422, title: 'Insufficient Balance' },
  conflict: { status: 409, title: 'Conflict' },
  'rate-limit-exceeded': { status: 429, title: 'Rate Limit Exceeded' },
  gone: { status: 410, title: 'Gone' },
  'service-unavailable': { status: 503, title: 'Service Unavailable' },
  'wallet-temporarily-unavailable': { status: 503, title: 'Service Unavailable' },
} as const;

/** The documented names. */
export type ProblemName = keyof typeof PROBLEMS;

const BASE: Readonly<Record<TypeForm, string>> = {
  fragment: 'https://docs.zupy.com/errors#',
  path: 'https://api.zupy.com/errors/',
};

/** What a status means when a fault names nothing else; 400 is the unreadable body and the OTP input. */
const NAMES: Readonly<Record<number, ProblemName>> = {
  400: 'validation-error',
  401: 'authentication-required',
  403: 'permission-denied',
  404: 'not-found',
  409: 'conflict',
  410: 'gone',
  422: 'validation-error',
  429: 'rate-limit-exceeded',
  503: 'service-unavailable',
};

/** Writes problems in the form that this server was told to use. */
export class Problems {
  readonly #base: string;

  constructor(form: TypeForm) {
    this.#base = BASE[form];
  }

  /** A problem of the documented list; `path` is that of the request. */
  answer(name: ProblemName, detail: string, path: string): Answer {
    const { status, title } = PROBLEMS[name];
    return {
      status,
      body: { type: this.#base + name, title, status, detail, instance: withoutQuery(path) },
    };
  }

  /** Fields at fault. Like the sample it has no `instance`. */
  invalid(errors: readonly FieldError[]): Answer {
    const { status, title } = PROBLEMS['validation-error'];
    return { status, body: { ...this.#validation(title, status), errors } };
  }

  /** A 400 of the operations that have one instead of a 422: the codes and the webhook settings. */
  badRequest(errors: readonly FieldError[]): Answer {
    return { status: 400, body: { ...this.#validation('Bad Request', 400), errors } };
  }

  /**
   * The body of an error that is known by its status only: unreadable JSON, and faults without a body. 5xx
   * other than 503 come from below the application; a status that the list does not know gets its own name.
   */
  byStatus(status: number, detail: string, path: string): unknown {
    if (status >= 500 && status !== 503) return gatewayPage(status);
    if (status < 400) return { data: {}, meta: {} };
    const phrase = STATUS_CODES[status] ?? 'Error';
    const name = NAMES[status] ?? phrase.toLowerCase().replaceAll(' ', '-');
    const body = { type: this.#base + name, title: phrase, status, detail };
    if (status !== 422) return { ...body, instance: withoutQuery(path) };
    return {
      ...this.#validation('Validation Error', status),
      errors: [{ field: 'non_field_errors', detail }],
    };
  }

  #validation(title: string, status: number) {
    return {
      type: `${this.#base}validation-error`,
      title,
      status,
      // A summary, never the reason: that is in `errors`.
      detail: 'Some fields are not valid.',
    };
  }
}

function gatewayPage(status: number): string {
  const line = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  return `<html>\r\n<head><title>${line}</title></head>\r\n<body>\r\n<center><h1>${line}</h1></center>\r\n</body>\r\n</html>\r\n`;
}

function withoutQuery(path: string): string {
  return path.split('?', 1)[0] ?? path;
}
