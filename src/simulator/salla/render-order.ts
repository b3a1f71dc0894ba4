/** What Salla shows of an order: "Order Details" with and without `format=light`, and the rows of "List Orders". */
import { renderDate } from './dates.js';
import type { Language } from './language.js';
import type { StoredOrder } from './orders.js';
import { renderShipment } from './render-shipment.js';
import { isCancelable, renderStatus } from './statuses.js';
import type { Store } from './store.js';
import type { Customer, Money, OrderBody, Product } from './wire.js';

/** Left out of "Order Details" when `format=light` is asked for. */
const HEAVY_FIELDS = ['items', 'shipments', 'pickup_branch'] as const;
const WEIGHT_OF_A_PRODUCT = 0.5;

export function renderOrder(store: Store, order: StoredOrder, language: Language) {
  const { body } = order;
  const { status } = store.orders.standing(order);
  const canCancel = isCancelable(status);
  const isOpen = body.payment?.status !== undefined && body.payment.status !== 'paid';
  return {
    id: order.id,
    reference_id: order.referenceId,
    ...externalId(store, order),
    urls: {
      customer: `https://store.example/order/${order.id}`,
      admin: `https://dashboard.example/orders/order/${order.id}`,
    },
    date: renderDate(order.createdAt),
    updated_at: renderDate(store.orders.updatedAt(order)),
    draft: order.kind === 'draft',
    source: sourceOf(order),
    source_details: { type: sourceOf(order), value: null, device: null, 'user-agent': null, ip: null },
    first_complete_at: null,
    status: renderStatus(status, language),
    payment_method: body.payment?.method ?? null,
    currency: body.currency,
    amounts: renderAmounts(body),
    can_cancel: canCancel,
    can_reorder: true,
    is_pending_payment: isOpen,
    pending_payment_ends_at: 0,
    total_weight: WEIGHT_OF_A_PRODUCT * sum(body.products.map(({ quantity }) => quantity)),
    features: {
      shippable: body.deliveryMethod === 'shipping',
      digitalable: false,
      multiple_shipments_supported: false,
      order_type_price_quote: false,
    },
    actions: { cancellable: canCancel, reorderable: true, payable: isOpen },
    customer: renderCustomer(order),
    receiver: renderReceiver(body),
    shipping: renderShipping(order),
    shipments: store.shipments
      .ofOrder(order.id)
      .filter((shipment) => store.shipments.isVisible(shipment))
      .map((shipment) => renderShipment(store, shipment)),
    items: body.products.map((product, index) => renderItem(order, product, index)),
    pickup_branch: body.branchId === undefined ? null : { id: body.branchId },
    note: order.note ?? null,
    tags: [],
  };
}

/** "Order Details" with `format=light`. */
export function renderLightOrder(store: Store, order: StoredOrder, language: Language) {
  const { customer, ...all } = renderOrder(store, order, language);
  const { groups: _groups, ...lightCustomer } = customer;
  return {
    ...Object.fromEntries(
      Object.entries(all).filter(([name]) => !HEAVY_FIELDS.some((heavy) => heavy === name)),
    ),
    customer: lightCustomer,
  };
}

export function renderOrderRow(store: Store, order: StoredOrder, language: Language) {
  const { body } = order;
  const { status } = store.orders.standing(order);
  return {
    id: order.id,
    reference_id: order.referenceId,
    ...externalId(store, order),
    total: money(totalOf(body), body),
    date: renderDate(order.createdAt),
    status: renderStatus(status, language),
    can_cancel: isCancelable(status),
    can_reorder: true,
    payment_method: body.payment?.method ?? null,
    is_pending_payment: body.payment?.status !== undefined && body.payment.status !== 'paid',
    pending_payment_ends_at: 0,
    source: sourceOf(order),
    customer: renderCustomer(order),
    items: body.products.map((product) => ({
      name: nameOf(product),
      quantity: product.quantity,
      thumbnail: 'https://cdn.example/product.png',
    })),
  };
}

function externalId(store: Store, { body }: StoredOrder): { external_order_id?: string } {
  if (body.externalOrderId === undefined || store.options.externalId === 'hidden') return {};
  return { external_order_id: body.externalOrderId };
}

function sourceOf(order: StoredOrder): string {
  if (order.kind === 'store') return 'store';
  return order.body.source ?? (order.kind === 'external' ? 'external' : 'dashboard-api');
}

function renderAmounts(body: OrderBody) {
  return {
    sub_total: money(subtotalOf(body), body),
    shipping_cost: money(body.shippingCost, body),
    cash_on_delivery: money(body.payment?.cashOnDelivery ?? 0, body),
    tax: { percent: '0.00', amount: money(0, body) },
    discounts: [],
    total: money(totalOf(body), body),
  };
}

function subtotalOf(body: OrderBody): number {
  return body.subtotal ?? sum(body.products.map(({ price, quantity }) => price * quantity));
}

function totalOf(body: OrderBody): number {
  return subtotalOf(body) + body.shippingCost + (body.payment?.cashOnDelivery ?? 0);
}

/** Whole cents, so that no sum shows the dust of binary fractions. */
function money(amount: number, { currency }: OrderBody): Money {
  return { amount: Math.round(amount * 100) / 100, currency };
}

function renderCustomer(order: StoredOrder) {
  const { body } = order;
  const customer: Customer = body.customer ?? {};
  const [first = '', ...others] = (customer.name ?? body.receiver?.name ?? '').split(' ');
  return {
    // A customer whom the store did not know becomes one by ordering.
    id: customer.id ?? order.id + 1,
    first_name: first,
    last_name: others.join(' '),
    mobile: customer.mobile ?? body.receiver?.phone ?? '',
    email: customer.email ?? body.receiver?.email ?? '',
    groups: [],
  };
}

function renderReceiver({ receiver }: OrderBody) {
  if (receiver === undefined) return null;
  const { name, email, phone, countryCode } = receiver;
  return { name, email: email ?? '', phone, country_code: countryCode ?? null };
}

/** An object, or an empty list when nothing is shipped. */
function renderShipping({ id, body }: StoredOrder) {
  if (body.deliveryMethod !== 'shipping') return [];
  return {
    id: id + 2,
    app_id: null,
    courier_id: body.courierId ?? null,
    company: 'شركة شحن',
    receiver: renderReceiver(body),
    address: body.shipTo ?? null,
  };
}

function renderItem(order: StoredOrder, product: Product, index: number) {
  return {
    id: order.id * 100 + index,
    name: nameOf(product),
    sku: product.sku ?? '',
    product_sku_id: null,
    product_id: product.productId ?? null,
    currency: order.body.currency,
    quantity: product.quantity,
    weight: WEIGHT_OF_A_PRODUCT,
    amounts: {
      price_without_tax: money(product.price, order.body),
      total: money(product.price * product.quantity, order.body),
    },
    options: [],
    codes: [],
    files: [],
  };
}

function nameOf(product: Product): string {
  return product.name ?? product.sku ?? String(product.productId ?? '');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
