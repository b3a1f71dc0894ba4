/** The filters of "List Orders". */
import type { Call } from '../kit.js';
import type { Query } from './listing.js';
import type { StoredOrder } from './orders.js';
import type { Store } from './store.js';

type Test = (order: StoredOrder) => boolean;

// A shorter run of digits is no phone number.
const LEAST_PHONE_DIGITS = 7;

/** Newest first; what is wrong with the filters is in `query.complaints` afterwards. */
export function searchOrders(store: Store, query: Query): StoredOrder[] {
  const keyword = query.text('keyword');
  const tests = filters(store, query);
  if (query.complaints.any) return [];
  const candidates = candidatesFor(store, keyword, query.integer('reference_id'));
  const now = store.options.time.clock.now();
  const lagMs = store.options.listLagMs ?? 0;
  const isListed = (order: StoredOrder) =>
    !order.isDeleted && now >= order.hiddenUntil && now >= order.createdAt + lagMs;
  return candidates.filter((order) => isListed(order) && tests.every((test) => test(order))).reverse();
}

/** The references that a search is about, for fault rules that name one. */
export function searchedReferences(call: Call): readonly string[] {
  return [call.query.keyword, call.query.reference_id].flat().filter((value) => value !== undefined);
}

/**
 * Days are days in Riyadh. The day of `from_date` counts in, that of `to_date` does not: "after" and "before"
 * is all that is documented.
 */
function filters(store: Store, query: Query): Test[] {
  const tests: Test[] = [];
  const add = <T>(value: T | undefined, test: (value: T, order: StoredOrder) => boolean) => {
    if (value !== undefined) tests.push((order) => test(value, order));
  };
  add(query.day('from_date'), (day, order) => order.createdAt >= day);
  add(query.day('to_date'), (day, order) => order.createdAt < day);
  add(some(query.integers('status')), (ids, order) => {
    const { status } = store.orders.standing(order);
    return ids.includes(status.id) || (status.originalId !== undefined && ids.includes(status.originalId));
  });
  add(some(query.list('payment_method')), (methods, { body }) =>
    methods.includes(body.payment?.method ?? ''),
  );
  add(some(query.integers('branch')), (ids, { body }) => ids.includes(body.branchId ?? 0));
  add(some(query.integers('shipping_app_id')), (ids, { body }) => ids.includes(body.courierId ?? 0));
  add(query.integer('reference_id'), (id, order) => order.referenceId === id);
  add(query.integer('customer_id'), (id, { body }) => body.customer?.id === id);
  add(query.text('country'), (country, { body }) => String(body.shipTo?.country ?? '') === country);
  add(query.text('city'), (city, { body }) => String(body.shipTo?.city ?? '') === city);
  add(query.text('product'), (name, { body }) => body.products.some((product) => product.name === name));
  add(query.text('source'), (source, { body }) => body.source === source);
  // Neither tags nor coupons can be given through this simulator.
  add(some(query.list('tags')), () => false);
  add(query.text('coupon'), () => false);
  return tests;
}

/**
 * Oldest first. A keyword that is exactly somebody's number, id or external id finds these at once; only
 * another one is looked for in names and phone numbers.
 */
function candidatesFor(
  store: Store,
  keyword: string | undefined,
  referenceId: number | undefined,
): readonly StoredOrder[] {
  if (keyword === undefined) {
    if (referenceId === undefined) return store.orders.all();
    return present([store.orders.byReferenceId(referenceId)]);
  }
  const isSearchable = (store.options.externalId ?? 'searchable') === 'searchable';
  const exact = present([
    store.orders.get(Number(keyword)),
    store.orders.byReferenceId(Number(keyword)),
    ...(isSearchable ? store.orders.byExternalId(keyword) : []),
  ]);
  if (exact.length > 0) return [...new Set(exact)];
  const word = keyword.toLowerCase();
  const digits = keyword.replaceAll(/\D/g, '');
  return store.orders
    .all()
    .filter((order) => hasName(order, word) || hasPhone(order, digits) || hasShipping(store, order, keyword));
}

function hasName({ body }: StoredOrder, word: string): boolean {
  return [body.customer?.name, body.receiver?.name].some((name) => name?.toLowerCase().includes(word));
}

/** With or without the code of the country. */
function hasPhone({ body }: StoredOrder, digits: string): boolean {
  if (digits.length < LEAST_PHONE_DIGITS) return false;
  return [body.customer?.mobile, body.receiver?.phone].some((phone) => {
    const own = phone?.replaceAll(/\D/g, '') ?? '';
    return own.length >= LEAST_PHONE_DIGITS && (own.endsWith(digits) || digits.endsWith(own));
  });
}

function hasShipping(store: Store, order: StoredOrder, number: string): boolean {
  return store.shipments.ofOrder(order.id).some(({ update }) => update?.shipmentNumber === number);
}

/** An empty list filters nothing. */
function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function present<T>(list: readonly (T | undefined)[]): T[] {
  return list.filter((entry) => entry !== undefined);
}
