/** The rules for the body of pull-codes: a bare array (WUPEX document, "Endpoints" and "Traps"). */
import { type Checked, refuse } from './refusal.js';
import type { PullLine } from './wire.js';

/**
 * What cannot be read is a 400, what can be read and makes no sense a 422 (WUPEX document, "Errors"). Unknown
 * fields are let through: the document refuses none.
 */
export function readLines(body: unknown): Checked<PullLine[]> {
  if (!Array.isArray(body)) return refuse(400, 'The body must be a JSON array');
  if (body.length === 0) return refuse(400, 'The body must hold at least one line');
  const lines: PullLine[] = [];
  for (const [index, entry] of body.entries()) {
    const line = readLine(entry, `Line ${index + 1}`);
    if (!line.ok) return line;
    lines.push(line.value);
  }
  return { ok: true, value: lines };
}

function readLine(entry: unknown, place: string): Checked<PullLine> {
  if (typeof entry !== 'object' || entry === null) return refuse(400, `${place} must be an object`);
  const merchant: unknown = Reflect.get(entry, 'merchant');
  const sku: unknown = Reflect.get(entry, 'sku');
  const quantity: unknown = Reflect.get(entry, 'quantity');
  if (!isFilled(merchant)) return refuse(400, `${place}: merchant is required and must be a string`);
  if (!isFilled(sku)) return refuse(400, `${place}: sku is required and must be a string`);
  if (typeof quantity !== 'number' || !Number.isSafeInteger(quantity))
    return refuse(400, `${place}: quantity is required and must be a whole number`);
  if (quantity < 1) return refuse(422, `${place}: quantity must be at least 1`);
  return { ok: true, value: { merchant, sku, quantity } };
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
