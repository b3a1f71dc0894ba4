/** Validates paths, queries and small bodies with zod, and words what is wrong as the contract's problems. */
import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { type FieldProblem, jsonPointer } from '../orders/body.js';
import { type Problem, problem } from '../problem.js';
import { ProblemError } from './problems.js';

/** Fastify's validator for zod schemas: a wrong id is a 404, a wrong query a 400, a wrong body a 422. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    const parsed = schema.safeParse(data);
    if (parsed.success) return { value: parsed.data };
    return { error: new ProblemError(refusalOf(httpPart, parsed.error.issues, data)) };
  };

function refusalOf(
  httpPart: string | undefined,
  issues: readonly z.core.$ZodIssue[],
  data: unknown,
): Problem {
  switch (httpPart) {
    case 'params':
      return problem('not-found', 'There is nothing with this id.');
    case 'body':
      return invalidBody(fieldProblems(issues, data));
    default:
      return problem('bad-request', `The query cannot be read. ${spoken(issues, data)}`);
  }
}

/** The 422 that lists all mistakes of a body. */
export function invalidBody(errors: FieldProblem[]): Problem {
  return problem('invalid', 'Correct the fields listed in errors.', errors);
}

/**
 * @param issues as zod lists them
 * @param input what was validated: an absent value is `required`, a present one `invalid`
 * @returns one entry per field that is wrong, in zod's order
 */
export function fieldProblems(issues: readonly z.core.$ZodIssue[], input: unknown): FieldProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        pointer: jsonPointer([...path, key]),
        code: 'unknown_field',
        detail: 'There is no such field; remove it or correct its name.',
      }));
    }
    if (issue.code === 'invalid_type' && isAbsent(input, path)) {
      return [{ pointer: jsonPointer(path), code: 'required', detail: 'This field is required.' }];
    }
    return [{ pointer: jsonPointer(path), code: 'invalid', detail: issue.message }];
  });
}

function isAbsent(input: unknown, path: readonly (string | number)[]): boolean {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return true;
    value = Object.getOwnPropertyDescriptor(value, part)?.value;
  }
  return value === undefined;
}

function spoken(issues: readonly z.core.$ZodIssue[], data: unknown): string {
  return fieldProblems(issues, data)
    .map(({ pointer, code, detail }) =>
      code === 'unknown_field'
        ? `${pointer.slice(1)}: there is no such parameter.`
        : `${pointer.slice(1)}: ${detail}.`,
    )
    .join(' ');
}
