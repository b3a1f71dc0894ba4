/**
 * Between our words and WUPEX's: an order becomes lines, an answer becomes codes and a state, a refusal becomes
 * an outcome. Pure.
 */
import type { OrderBody } from '../../orders/body.js';
import type { Attention, ProviderState } from '../../orders/order.js';
import type { Answer, ProviderError } from '../../policy/answer.js';
import { classify, type StepFacts } from '../../policy/classify.js';
import type { Deliverable, Outcome } from '../../policy/outcome.js';
import type { ProviderPolicy } from '../../policy/policy.js';
import { present } from '../requests.js';
import { type Detail, namesOrder, type PullLine, type Row, type Serial, wupexOptions } from './wire.js';

/**
 * The body of pull-codes, one line per item.
 * @param body one that has passed `bodyProblems`; anything else throws, being a mistake of ours
 */
export function pullLines(body: OrderBody): PullLine[] {
  const ofOrder = wupexOptions.parse(body.options ?? {}).merchant;
  return (body.items ?? []).map(({ sku, quantity, options }) => ({
    merchant: present(wupexOptions.parse(options ?? {}).merchant ?? ofOrder, 'merchant', 'an item'),
    sku: present(sku, 'sku', 'an item'),
    quantity,
  }));
}

/** The codes of an answer, and how they compare with what was ordered. */
export interface Handed {
  deliverables: Deliverable[];
  ordered: number;
  /** Ordered, and there. */
  filled: number;
  /** There, but of no product of the order that could be told. */
  strangers: number;
}

/**
 * Gives each code its place in the order: codes of a product take the places of its items in turn, so that a later
 * answer puts the same codes into the same places. What names no product of the order comes into the places that
 * are left; what is beyond the order, as a whole or of its product, behind it.
 */
export function handOver(body: OrderBody, serials: readonly (Serial | null)[]): Handed {
  const places = (body.items ?? []).flatMap(({ sku = '', quantity }) =>
    Array.from({ length: quantity }, () => sku),
  );
  const free = new Map(places.map((sku): [string, number[]] => [sku, []]));
  // Backwards, so that the lowest place of each product is popped first.
  for (let at = places.length - 1; at >= 0; at -= 1) free.get(places[at] ?? '')?.push(at);
  const placed: Deliverable[] = [];
  const unnamed: Serial[] = [];
  const beyond: Serial[] = [];
  for (const serial of serials) {
    if (serial?.serialCode == null) continue;
    const { sku } = serial;
    const ofProduct = sku == null ? undefined : free.get(sku);
    const position = ofProduct?.pop();
    if (sku == null || ofProduct === undefined) unnamed.push(serial);
    else if (position === undefined) beyond.push(serial);
    else placed.push(deliverable(serial, position, sku));
  }
  const left = [...free.values()].flat().sort((a, b) => a - b);
  const possible = onlyOne(left.length > 0 ? left.map((at) => places[at]) : places);
  const others = [...unnamed, ...beyond].map((serial, index) => {
    // The unnamed come first, so none of the others takes another product's place.
    const position = index < unnamed.length ? left[index] : undefined;
    const behind = places.length + index - Math.min(left.length, unnamed.length);
    return deliverable(serial, position ?? behind, serial.sku ?? possible);
  });
  const deliverables = [...placed, ...others].sort((a, b) => a.position - b.position);
  return {
    deliverables,
    ordered: places.length,
    filled: deliverables.filter(({ position }) => position < places.length).length,
    strangers: others.filter(({ sku }) => !free.has(sku)).length,
  };
}

/** The one product that it can be; empty where there are several. */
function onlyOne(skus: readonly (string | undefined)[]): string {
  const [first, ...more] = new Set(skus);
  return more.length === 0 ? (first ?? '') : '';
}

function deliverable(serial: Serial, position: number, sku: string): Deliverable {
  return {
    position,
    sku,
    code: serial.serialCode ?? '',
    serial: serial.serialNumber ?? null,
    expiresAt: instant(serial.expiry),
  };
}

export function isComplete({ filled, ordered }: Handed): boolean {
  return filled === ordered;
}

/** Every code that was ordered, and nothing that a human should look at. */
export function isExact(handed: Handed): boolean {
  return isComplete(handed) && handed.deliverables.length === handed.ordered && handed.strangers === 0;
}

/** The codes of a detail; a line says whose its serials are. */
export function serialsOf(detail: Detail): (Serial | null)[] {
  return detail.orderData.flatMap((line) =>
    (line?.serials ?? []).map((serial) =>
      serial === null ? null : { ...serial, sku: serial.sku ?? line?.sku ?? line?.productCode ?? null },
    ),
  );
}

/**
 * The state that a detail tells. No statuses are documented, so the codes decide: an order is delivered when they
 * are all there.
 */
export function toState(providerOrderId: string, detail: Detail, handed: Handed): ProviderState {
  const rawStatus = detail.status ?? '';
  const attention = attentionOf(handed, rawStatus);
  const total = detail.orderAmount ?? detail.totalAmount ?? null;
  return {
    providerOrderId,
    reference: null,
    status: isComplete(handed) ? 'delivered' : 'in_progress',
    rawStatus,
    ...(attention === null ? {} : { attention }),
    ...(total === null ? {} : { data: { totalAmount: total } }),
  };
}

function attentionOf(handed: Handed, rawStatus: string): Attention | null {
  const { deliverables, ordered, filled, strangers } = handed;
  const extra = deliverables.length - filled;
  const word = rawStatus === '' ? '' : `; it calls the order ${rawStatus}`;
  const more = extra === 0 ? '' : `, and ${extra} beyond what was ordered`;
  const shows = `WUPEX shows ${filled} of ${ordered} codes${more}${word}`;
  if (filled < ordered) return { code: 'codes_missing', detail: shows };
  if (extra > 0) return { code: 'codes_surplus', detail: shows };
  if (strangers > 0) {
    const detail = `${strangers} of ${ordered} codes name no product of this order: see at WUPEX which they are of`;
    return { code: 'codes_unassigned', detail };
  }
  return null;
}

/** What a row of the list says of an order. It has no codes, so a read of the order itself must follow. */
export function rowState(row: Row): ProviderState {
  const createdAt = instant(row.orderdate);
  return {
    providerOrderId: row.ordername,
    reference: row.referenceid ?? null,
    status: 'in_progress',
    rawStatus: row.status ?? '',
    partial: true,
    sameContent: null,
    ...(createdAt === null ? {} : { createdAt }),
    ...(row.orderamount == null ? {} : { data: { totalAmount: row.orderamount } }),
  };
}

/**
 * A time as ISO 8601 in UTC; null where it is none, or stands for none, such as the year 1. Without a zone it is
 * taken for UTC, which is assumed.
 */
export function instant(value: string | null | undefined): string | null {
  const [, day, time = 'T00:00:00', zone = 'Z'] =
    /^((?:19[7-9]|[2-9]\d\d)\d-\d\d-\d\d)([T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(
      value ?? '',
    ) ?? [];
  if (day === undefined) return null;
  const ms = Date.parse(`${day}${time.replace(' ', 'T')}${zone}`);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/**
 * What a refusal under a 2xx comes to: the same as under the status that its code is documented with. A code that
 * the table does not know leaves it open whether anything was done.
 * @returns null where the answer contradicts itself
 */
export function refusedUnderSuccess(
  answer: Answer,
  step: StepFacts,
  policy: ProviderPolicy,
  readError: (answer: Answer) => ProviderError,
): Outcome | null {
  if (namesOrder(answer.json)) return null;
  const { code = 'refused', message } = readError(answer);
  const rule = policy.rules.find(
    (each) => each.code === code && (each.steps === undefined || each.steps.includes(step.name)),
  );
  if (rule === undefined) return { kind: step.repeatable ? 'failed' : 'unknown', code, message };
  const status = typeof rule.status === 'number' ? rule.status : rule.status[0];
  return classify({ ...answer, status }, step, policy, () => null, readError).outcome;
}
