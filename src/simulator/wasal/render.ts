/**
 * What Wasal shows of its objects. Of an order the document names `_id`, `orderNumber` and `status` only; the
 * other fields are those that it was created with. Nothing given is null.
 */

import type { RegisteredWebhook } from './announcer.js';
import { dinars } from './answers.js';
import type { Area, Zone } from './areas.js';
import type { StoredAddress, StoredCustomer } from './customers.js';
import type { Branch, OrderBook, StoredOrder } from './orders.js';
import type { AddressBody } from './wire.js';

export function renderOrder(book: OrderBook, order: StoredOrder) {
  const { body, customer, branch } = order;
  const { status, since } = book.standing(order);
  return {
    _id: order.id,
    orderNumber: order.orderNumber,
    status,
    orderMerchantReferenceNumber: body.orderMerchantReferenceNumber ?? null,
    customerId: customer.id,
    customerAddressId: order.address.id,
    deliveryAddress: renderAddress(order.address),
    branchId: branch.id,
    branchCode: branch.code,
    specialHandlingTags: body.specialHandlingTags,
    packageSide: body.packageSide ?? null,
    paymentMethod: body.paymentMethod,
    amountToCollect: orNull(body.amountToCollect),
    pricing: renderPricing(order),
    items: body.items.map(({ name, sku, qty, price }) => ({
      name: name ?? null,
      sku: sku ?? null,
      qty: qty ?? null,
      price: orNull(price),
    })),
    merchantNotes: body.merchantNotes ?? null,
    isSandbox: order.isSandbox,
    createdAt: timestamp(order.createdAt),
    updatedAt: timestamp(since),
  };
}

/** "Endpoints", public tracking. No driver is ever seen. */
export function renderTracking(book: OrderBook, order: StoredOrder) {
  const { status, since } = book.standing(order);
  return {
    orderNumber: order.orderNumber,
    status,
    agentLocation: null,
    agentPhone: null,
    updatedAt: timestamp(since),
  };
}

export function renderHistory(book: OrderBook, order: StoredOrder) {
  return {
    statusHistory: book.history(order).map(({ status, since }) => ({ status, timestamp: timestamp(since) })),
  };
}

export function renderCustomer(customer: StoredCustomer) {
  return {
    _id: customer.id,
    name: customer.name,
    phoneNumber: customer.phoneNumber,
    email: customer.email ?? null,
    addresses: customer.addresses.map(renderAddress),
    createdAt: timestamp(customer.createdAt),
    updatedAt: timestamp(customer.updatedAt),
  };
}

export function renderAddress({ id, body }: StoredAddress) {
  return { _id: id, ...withNulls(body) };
}

export function renderBranch(branch: Branch) {
  return { _id: branch.id, code: branch.code, name: `Branch ${branch.code}` };
}

export function renderArea({ sourceId, title, featureType }: Area) {
  return { sourceId, title, featureType };
}

export function renderZone(zone: Zone) {
  return { ...zone, deliveryFee: dinars(zone.deliveryFee), serviceType: 'b2c' };
}

/** Its secret is shown once, at registration. */
export function renderWebhook({ id, url, events }: RegisteredWebhook) {
  return { _id: id, url, active: true, events };
}

function renderPricing({ body, deliveryFee }: StoredOrder) {
  const { subtotal, total } = body.pricing;
  return {
    subtotal: orNull(subtotal),
    deliveryFee: dinars(deliveryFee),
    total: orNull(total ?? (subtotal === undefined ? undefined : subtotal + deliveryFee)),
  };
}

function withNulls(body: AddressBody): Record<keyof AddressBody, string | null> {
  return {
    label: body.label,
    addressType: body.addressType ?? null,
    governorateId: body.governorateId ?? null,
    neighborhoodId: body.neighborhoodId ?? null,
    blockId: body.blockId ?? null,
    streetId: body.streetId ?? null,
    houseNumber: body.houseNumber ?? null,
    buildingName: body.buildingName ?? null,
    floorNumber: body.floorNumber ?? null,
    apartmentNumber: body.apartmentNumber ?? null,
    line1: body.line1 ?? null,
  };
}

function orNull(fils: number | undefined): number | null {
  return fils === undefined ? null : dinars(fils);
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
