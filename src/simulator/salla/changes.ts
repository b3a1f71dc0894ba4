/** Changes to orders and shipments, with the events that tell of them. */
import type { StoreEvent, Traveler } from './events.js';
import type { OrderKind, StoredOrder } from './orders.js';
import { renderOrder } from './render-order.js';
import { renderShipment } from './render-shipment.js';
import { CANCELED, type StoredShipment } from './shipments.js';
import type { OrderStatus } from './statuses.js';
import type { Store } from './store.js';
import type { OrderBody, ShipmentBody, ShipmentUpdate } from './wire.js';

/** Events come in the store's own language. */
const EVENT_LANGUAGE = 'ar';

/** How an order comes into the store. */
export interface NewOrder {
  kind: OrderKind;
  body: OrderBody;
  status: OrderStatus;
  /** Whether it goes through its life by itself. */
  moves: boolean;
  /** How long reads do not know of it, in milliseconds. */
  hideMs: number;
}

export function addOrder(store: Store, { kind, body, status, moves, hideMs }: NewOrder): StoredOrder {
  const order = store.orders.add(kind, body, status, moves, hideMs);
  tellOfOrder(store, order, 'order.created');
  store.events.follow(orderTraveler(store, order));
  return order;
}

export function changeOrder(store: Store, order: StoredOrder, body: OrderBody): void {
  store.orders.change(order, body);
  tellOfOrder(store, order, 'order.updated');
}

/** A status that was set through the API stays; one set by hand goes on if it can. */
export function setOrderStatus(store: Store, order: StoredOrder, status: OrderStatus, moves: boolean): void {
  // A draft that is given any other life is none any more; a canceled one was never an order.
  if (order.kind === 'draft' && status.slug !== 'draft' && status.slug !== 'canceled') order.kind = 'order';
  store.orders.put(order, status, moves);
  tellOfOrder(store, order, 'order.status.updated');
  if (status.slug === 'canceled') tellOfOrder(store, order, 'order.cancelled');
  if (status.slug === 'restored') tellOfOrder(store, order, 'order.refunded');
  store.events.follow(orderTraveler(store, order));
}

/** From now on it is gone: 410. */
export function deleteOrder(store: Store, order: StoredOrder): void {
  order.isDeleted = true;
  tellOfOrder(store, order, 'order.deleted');
}

export function addShipment(store: Store, body: ShipmentBody, hideMs: number): StoredShipment {
  const shipment = store.shipments.add(body, hideMs);
  tellOfShipment(store, shipment, 'shipment.creating');
  store.events.follow(shipmentTraveler(store, shipment));
  return shipment;
}

export function setShipmentStatus(
  store: Store,
  shipment: StoredShipment,
  status: string,
  moves: boolean,
): void {
  store.shipments.put(shipment, status, '', moves);
  tellOfShipment(store, shipment, eventOf(status));
  store.events.follow(shipmentTraveler(store, shipment));
}

export function carryShipment(store: Store, shipment: StoredShipment, update: ShipmentUpdate): void {
  store.shipments.carry(shipment, update);
  tellOfShipment(store, shipment, eventOf(update.status));
}

export function sendShipmentBack(store: Store, shipment: StoredShipment): void {
  store.shipments.sendBack(shipment);
  tellOfShipment(store, shipment, 'shipment.creating');
  store.events.follow(shipmentTraveler(store, shipment));
}

/** Everything in the store that has a life. */
export function* travelers(store: Store): Generator<Traveler> {
  for (const order of store.orders.all()) yield orderTraveler(store, order);
  for (const shipment of store.shipments.all()) yield shipmentTraveler(store, shipment);
}

function orderTraveler(store: Store, order: StoredOrder): Traveler {
  return {
    nextChangeAt: () => store.orders.nextChangeAt(order),
    anchor: () => order.anchor,
    tell: () => tellOfOrder(store, order, 'order.status.updated'),
  };
}

function shipmentTraveler(store: Store, shipment: StoredShipment): Traveler {
  return {
    nextChangeAt: () => store.shipments.nextChangeAt(shipment),
    anchor: () => shipment.anchor,
    tell: () => tellOfShipment(store, shipment, eventOf(store.shipments.standing(shipment).status)),
  };
}

function tellOfOrder(store: Store, order: StoredOrder, event: StoreEvent): void {
  store.events.emit(event, () => renderOrder(store, order, EVENT_LANGUAGE));
}

function tellOfShipment(store: Store, shipment: StoredShipment, event: StoreEvent): void {
  store.events.emit(event, () => renderShipment(store, shipment));
}

function eventOf(shipmentStatus: string): StoreEvent {
  if (shipmentStatus === CANCELED) return 'shipment.cancelled';
  if (shipmentStatus === 'creating' || shipmentStatus === 'created') return `shipment.${shipmentStatus}`;
  return 'shipment.updated';
}
