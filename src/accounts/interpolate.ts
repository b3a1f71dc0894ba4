/** `${NAME}` in the strings of an accounts file reads the environment; `$${` stands for a plain `${`. Pure. */
import type { Path } from '../field-problems.js';
import type { Json } from '../json.js';
import { type FieldProblem, jsonPointer } from '../orders/body.js';

export interface Interpolated {
  value: Json;
  /** Variables that are not set or not nameable; their text stays as it is in `value`. */
  problems: FieldProblem[];
}

type Env = Record<string, string | undefined>;

const PLACEHOLDER = /\$\$\{|\$\{([^}]*)\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Fills the strings of a JSON value, at any depth; what comes in is not looked at again. */
export function interpolate(value: Json, env: Env, path: Path = []): Interpolated {
  const problems: FieldProblem[] = [];
  return { value: fill(value, env, path, problems), problems };
}

function fill(value: Json, env: Env, path: Path, problems: FieldProblem[]): Json {
  if (typeof value === 'string') return fillText(value, env, path, problems);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((entry, index) => fill(entry, env, [...path, index], problems));
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, fill(entry, env, [...path, name], problems)]),
  );
}

function fillText(text: string, env: Env, path: Path, problems: FieldProblem[]): string {
  return text.replace(PLACEHOLDER, (placeholder, name: string | undefined) => {
    if (name === undefined) return '${';
    const problem = problemOf(name, env);
    if (problem === null) return env[name] ?? '';
    problems.push({ pointer: jsonPointer(path), ...problem });
    return placeholder;
  });
}

function problemOf(name: string, env: Env): Pick<FieldProblem, 'code' | 'detail'> | null {
  if (!NAME.test(name)) {
    return {
      code: 'invalid',
      detail:
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the sentence is about such a placeholder
        '"${" begins the name of an environment variable, such as ${GELATO_API_KEY}; write $${ for a plain "${".',
    };
  }
  // A variable that is set to nothing is a variable that somebody forgot to set.
  if ((env[name] ?? '') !== '') return null;
  return { code: 'missing_variable', detail: `The environment variable ${name} is not set.` };
}
