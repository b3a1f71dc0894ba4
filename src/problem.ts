/**
 * Expected errors as values, in the shape of RFC 9457: the API sends them, the CLI prints them, the operator's
 * verbs return them.
 */
import type { FieldProblem } from './orders/body.js';

/** The problem types that the contract names, with their status and title. */
export const PROBLEMS = {
  'bad-request': { status: 400, title: 'The request cannot be read' },
  unauthorized: { status: 401, title: 'A valid key is needed' },
  forbidden: { status: 403, title: 'This key may not do that' },
  'not-found': { status: 404, title: 'Not found' },
  'reference-taken': { status: 409, title: 'The reference belongs to another order' },
  'not-possible': { status: 409, title: 'Not possible in this state' },
  'already-sent': { status: 409, title: 'The order was, or may have been, sent' },
  'already-decided': { status: 409, title: 'Already decided' },
  'id-taken': { status: 409, title: 'Another order holds this provider id' },
  'too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'Send application/json' },
  invalid: { status: 422, title: 'The request is not valid' },
  'not-available': { status: 503, title: 'Nothing could be stored; try again' },
  internal: { status: 500, title: 'Unexpected error' },
} as const;

export type ProblemName = keyof typeof PROBLEMS;

export interface Problem {
  /** `https://packline.dev/problems/<name>`. */
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: FieldProblem[];
}

const TYPE_BASE = 'https://packline.dev/problems/';

/**
 * @param detail what is wrong here and what to do
 * @param errors per field, where fields are wrong
 */
export function problem(name: ProblemName, detail: string, errors?: FieldProblem[]): Problem {
  const { status, title } = PROBLEMS[name];
  return { type: `${TYPE_BASE}${name}`, title, status, detail, ...(errors === undefined ? {} : { errors }) };
}

/** What a verb answers: its value, or what stood in its way. */
export type Result<T> = { ok: true; value: T } | { ok: false; problem: Problem };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const refused = (
  name: ProblemName,
  detail: string,
  errors?: FieldProblem[],
): { ok: false; problem: Problem } => ({ ok: false, problem: problem(name, detail, errors) });
