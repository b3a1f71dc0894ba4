/** From zod's issues to the contract's field problems: one entry per field that is wrong, each with its pointer. */
import type { z } from 'zod';
import { type FieldProblem, jsonPointer } from './orders/body.js';

export type Path = readonly (string | number)[];

/** One problem. `detail` is a sentence for a person: what is wrong and what to do. */
export function problem(path: Path, code: string, detail: string): FieldProblem {
  return { pointer: jsonPointer(path), code, detail };
}

/** The problem, unless all is well. */
export function unless(good: boolean, path: Path, code: string, detail: string): FieldProblem[] {
  return good ? [] : [problem(path, code, detail)];
}

/**
 * What is wrong with the `options` of an order or item.
 * @param schema what one provider takes there; further keys are `unknown_option`
 */
export function optionProblems(schema: z.ZodObject, options: unknown, path: Path): FieldProblem[] {
  const parsed = schema.safeParse(options ?? {});
  return parsed.success ? [] : schemaProblems(parsed.error, options, path, 'unknown_option', schema);
}

/**
 * From zod's issues to problems that name what is known beside what is not.
 * @param input what was validated: an absent value inside it is `required`, a present one `invalid`
 * @param path where the validated value stands inside the whole document
 */
export function schemaProblems(
  error: z.ZodError,
  input: unknown,
  path: Path,
  unknownCode: 'unknown_option' | 'unknown_field',
  schema: z.ZodObject,
): FieldProblem[] {
  const known = Object.keys(schema.shape).join(', ');
  return error.issues.flatMap((issue) => {
    // Paths into JSON hold names and indices, never symbols.
    const inside = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code !== 'unrecognized_keys') {
      const code = inside.length > 0 && isAbsent(input, inside) ? 'required' : 'invalid';
      return [problem([...path, ...inside], code, issue.message)];
    }
    const detail =
      inside.length > 0 ? 'is not known here: leave it out' : `is not known here; known are ${known}`;
    return issue.keys.map((key) => problem([...path, ...inside, key], unknownCode, detail));
  });
}

/**
 * @param issues as zod lists them
 * @param input what was validated: an absent value is `required`, a present one `invalid`
 * @param base where the validated value stands inside the whole document
 */
export function fieldProblems(
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
  base: Path = [],
): FieldProblem[] {
  return oncePerField(
    issues.flatMap((issue) => {
      // Paths into JSON hold names and indices, never symbols.
      const inside = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
      const path = [...base, ...inside];
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => ({
          pointer: jsonPointer([...path, key]),
          code: 'unknown_field',
          detail: 'There is no such field; remove it or correct its name.',
        }));
      }
      if (ABSENCE_CODES.includes(issue.code) && isAbsent(input, inside)) {
        return [{ pointer: jsonPointer(path), code: 'required', detail: 'This field is required.' }];
      }
      return [{ pointer: jsonPointer(path), code: 'invalid', detail: issue.message }];
    }),
  );
}

/** What zod says of a value that is not there: its type, its choice or all of its alternatives do not fit. */
const ABSENCE_CODES: readonly string[] = ['invalid_type', 'invalid_value', 'invalid_union'];

/** A field that is wrong in several ways is told of once, by the first. */
export function oncePerField(problems: FieldProblem[]): FieldProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ pointer, code }) => {
    const key = `${code} ${pointer}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function isAbsent(input: unknown, path: Path): boolean {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return true;
    value = Object.getOwnPropertyDescriptor(value, part)?.value;
  }
  return value === undefined;
}
