/** What several providers find wrong with a shop's order, in the same words. */
import { isValid as isCountry } from 'i18n-iso-countries/index.js';
import type { z } from 'zod';
import { type Path, problem, schemaProblems, unless } from '../field-problems.js';
import type { JsonObject } from '../json.js';
import type { FieldProblem, OrderBody } from '../orders/body.js';
import { Exact } from './amounts.js';

/** Given, and more than white space. */
export function hasText(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}

/** For a lookup by a reference, which may come back without the spaces around it. */
export function referenceSpaceProblems(reference: string): FieldProblem[] {
  return unless(
    reference.trim() === reference,
    ['reference'],
    'invalid',
    'must not begin or end with a space: the order is found again by it',
  );
}

/** What a provider takes for a phone number. */
export interface PhoneRule {
  form: RegExp;
  leastDigits: number;
  /** What it must be, for a person. */
  detail: string;
}

/** E.164 allows 15 digits; a number that is not given is another check's matter. */
export function phoneProblems(phone: string | undefined, rule: PhoneRule): FieldProblem[] {
  if (phone === undefined || !hasText(phone)) return [];
  const digits = phone.replace(/\D/g, '').length;
  return unless(
    rule.form.test(phone) && digits >= rule.leastDigits && digits <= 15,
    ['customer', 'phone'],
    'invalid',
    rule.detail,
  );
}

/** For a provider whose API has no way to collect money at the door. */
export function prepaidOnlyProblems(payment: OrderBody['payment'], provider: string): FieldProblem[] {
  if (payment?.method === 'cod')
    return [problem(['payment', 'method'], 'invalid', `must be prepaid: ${provider} collects no money`)];
  return unless(
    new Exact(payment?.amountToCollect ?? 0).isZero(),
    ['payment', 'amountToCollect'],
    'invalid',
    `must be left out: ${provider} collects no money`,
  );
}

/** Whether it is a country at all; which ones are delivered to, each provider says. */
export function countryProblems(country: string, path: Path): FieldProblem[] {
  return unless(isCountry(country), path, 'invalid', 'must be a country code of ISO 3166-1 alpha-2');
}

/**
 * Whether somebody else can be sent to fetch it. The URL parser forgives white space and missing slashes; their
 * downloader need not.
 */
export function isFetchable(url: string, scheme: 'https' | 'http or https'): boolean {
  const form = scheme === 'https' ? /^https:\/\/[^\s\\]+$/i : /^https?:\/\/[^\s\\]+$/i;
  if (!form.test(url) || !URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username === '' && password === '';
}

/**
 * Reads the parameters of an `update`, or says what is wrong with them: first with their shape, then with the rest.
 * @param schema takes nothing but strings and objects of strings
 * @param problemsOf the rest
 */
export function readUpdateParams<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  params: unknown,
  problemsOf: (update: z.output<z.ZodObject<Shape>>) => FieldProblem[],
): { params: JsonObject } | { problems: FieldProblem[] } {
  const parsed = schema.safeParse(params);
  if (!parsed.success) return { problems: schemaProblems(parsed.error, params, [], 'unknown_field', schema) };
  const problems = problemsOf(parsed.data);
  // What the schema lets through is JSON, once absent fields are gone.
  return problems.length > 0
    ? { problems }
    : { params: JSON.parse(JSON.stringify(parsed.data)) as JsonObject };
}
