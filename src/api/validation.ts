/** Validates paths, queries and small bodies with zod, and words what is wrong as the contract's problems. */
import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { fieldProblems } from '../field-problems.js';
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
      return problem('invalid', 'Correct the fields listed in errors.', fieldProblems(issues, data));
    default:
      return problem('bad-request', `The query cannot be read. ${spoken(issues, data)}`);
  }
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
