/** Reads the API's own description, for the tests that walk it. */
import type { Method, TestApi } from './harness.js';

export interface OperationDoc {
  method: Method;
  /** With its parameters filled in. */
  path: string;
  /** As documented, `/v1/orders/{id}`. */
  pattern: string;
  open: boolean;
  doc: Record<string, unknown>;
}

/** The document, as served. */
export async function openApiOf(api: TestApi): Promise<Record<string, unknown>> {
  const answer = await api.ask('GET', '/openapi.json');
  return record(answer.json());
}

/** Every operation of the document. */
export function operationsOf(document: Record<string, unknown>): OperationDoc[] {
  return Object.entries(record(document.paths)).flatMap(([pattern, methods]) =>
    Object.entries(record(methods)).map(([method, operation]) => {
      const doc = record(operation);
      return {
        // OpenAPI's methods are HTTP's in small letters.
        method: method.toUpperCase() as Method,
        path: pattern.replace(/\{\w+\}/g, 'x'),
        pattern,
        open: Array.isArray(doc.security) && doc.security.length === 0,
        doc,
      };
    }),
  );
}

/** The value as an object; anything else fails the test. */
export function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`not an object: ${JSON.stringify(value)}`);
  }
  return Object.fromEntries(Object.entries(value));
}
