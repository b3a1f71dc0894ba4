/** What Salla shows of a shipment: the object of all operations, and the one of "Shipment Tracking". */
import { renderDate } from './dates.js';
import type { StoredShipment } from './shipments.js';
import type { Store } from './store.js';

export interface Courier {
  id: number;
  name: string;
  activation: 'manual' | 'api';
  slug: string | null;
}

/** A manual one has no slug ("List Shipping Companies"). */
export const COURIERS: readonly Courier[] = [
  { id: 700_000_001, name: 'Simulated Express', activation: 'api', slug: 'simulated-express' },
  { id: 700_000_002, name: 'مندوب المتجر', activation: 'manual', slug: null },
];

const WEIGHT_PER_PACKAGE = 0.5;

export function renderShipment(store: Store, shipment: StoredShipment) {
  const { body, update } = shipment;
  return {
    ...renderHead(store, shipment),
    order_reference_id:
      body.orderId === undefined ? null : (store.orders.get(body.orderId)?.referenceId ?? null),
    ...(store.options.externalId === 'hidden'
      ? {}
      : { reference: { external_id: body.externalId ?? null, external_additional_id: null } }),
    created_at: renderDate(shipment.createdAt),
    pickup_id: null,
    payment_method: body.paymentMethod,
    source: 'api',
    total: { amount: update?.cost ?? 0, currency: body.cashOnDelivery.currency },
    cash_on_delivery: body.cashOnDelivery,
    is_international: false,
    total_weight: { value: WEIGHT_PER_PACKAGE * body.packages.length, units: 'kg' },
    billing_account: 'merchant',
    description: body.description ?? null,
    remarks: body.remarks ?? null,
    service_types: body.serviceTypes,
    packages: body.packages,
    ship_from: body.shipFrom ?? { type: 'branch', branch_id: 1 },
    ship_to: body.shipTo ?? null,
    meta: { app_id: null, policy_options: body.policyOptions },
  };
}

/** The answer to "Update Shipment Details": its status is an object, unlike everywhere else. */
export function renderUpdatedShipment(store: Store, shipment: StoredShipment) {
  const { status } = store.shipments.standing(shipment);
  return { ...renderShipment(store, shipment), status: { id: shipment.id + 3, name: status, slug: status } };
}

export function renderTracking(store: Store, shipment: StoredShipment) {
  const standing = store.shipments.standing(shipment);
  const last = shipment.history.at(-1);
  const current = { status: standing.status, note: '', at: standing.since };
  // What it has become by itself is in no book; only the present status of it is told.
  const history = last?.status === standing.status ? shipment.history : [...shipment.history, current];
  return {
    ...renderHead(store, shipment),
    history: history.map(({ status, note, at }) => ({ status, note, create_at: renderDate(at) })),
  };
}

export function renderCourier({ id, name, activation, slug }: Courier) {
  return { id, name, app_id: id + 1, activation_type: activation, slug };
}

function renderHead(store: Store, shipment: StoredShipment) {
  const { body, update } = shipment;
  const courier = COURIERS.find(({ id }) => id === body.courierId);
  const { status } = store.shipments.standing(shipment);
  // While it is being created, no carrier has given it a number.
  const hasNumber = status !== 'creating' && status !== 'pending';
  const number = update?.shipmentNumber ?? (hasNumber ? `SIM${shipment.id}` : null);
  const link = number === null ? null : `https://tracking.example/${number}`;
  return {
    id: shipment.id,
    order_id: body.orderId ?? null,
    type: shipment.type,
    courier_id: body.courierId,
    courier_name: update?.externalCompanyName ?? body.externalCompanyName ?? courier?.name ?? 'Courier',
    courier_logo: 'https://cdn.example/courier.png',
    shipping_number: number,
    tracking_number: update?.trackingNumber ?? number,
    trackable: hasNumber,
    tracking_link: update?.trackingLink ?? link,
    label:
      number === null
        ? null
        : { format: 'pdf', url: update?.pdfLabel ?? `https://cdn.example/labels/${number}.pdf` },
    status,
  };
}
