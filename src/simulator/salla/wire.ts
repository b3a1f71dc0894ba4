/** What goes over the wire to Salla, as the simulator keeps it once it has been read. */
import type { JsonObject } from '../reader.js';

export interface Money {
  amount: number;
  currency: string;
}

export interface Customer {
  id?: number | undefined;
  name?: string | undefined;
  mobile?: string | undefined;
  email?: string | undefined;
}

export interface Receiver {
  name: string;
  phone: string;
  email: string | undefined;
  countryCode: string | undefined;
}

export interface Product {
  sku: string | undefined;
  /** By which the store knows it, where the caller said the id. */
  productId: number | undefined;
  name: string | undefined;
  quantity: number;
  price: number;
}

export interface Payment {
  status: string;
  method: string | undefined;
  acceptedMethods: readonly string[];
  cashOnDelivery: number;
}

/** Where to: kept as sent, because its fields only come back. */
export type ShipTo = JsonObject;

export interface OrderBody {
  /** Of external orders only, like the next. */
  externalOrderId: string | undefined;
  /** The name or slug of the status to begin with. */
  statusName: string | undefined;
  source: string | undefined;
  currency: string;
  customer: Customer | undefined;
  receiver: Receiver | undefined;
  deliveryMethod: 'shipping' | 'pickup' | undefined;
  branchId: number | undefined;
  courierId: number | undefined;
  shipTo: ShipTo | undefined;
  payment: Payment | undefined;
  products: readonly Product[];
  subtotal: number | undefined;
  shippingCost: number;
}

export interface ShipmentBody {
  orderId: number | undefined;
  externalId: string | undefined;
  externalCompanyName: string | undefined;
  courierId: number;
  type: 'shipment' | 'return';
  paymentMethod: 'cod' | 'pre_paid';
  cashOnDelivery: Money;
  overwritesPending: boolean;
  description: string | undefined;
  remarks: string | undefined;
  serviceTypes: readonly unknown[];
  policyOptions: JsonObject;
  packages: readonly JsonObject[];
  shipTo: JsonObject | undefined;
  shipFrom: JsonObject | undefined;
}

/** What the carrier's side tells of a shipment. */
export interface ShipmentUpdate {
  shipmentNumber: string;
  status: string;
  trackingNumber: string | undefined;
  trackingLink: string | undefined;
  pdfLabel: string | undefined;
  cost: number | undefined;
  statusNote: string | undefined;
  orderId: number | undefined;
  externalCompanyName: string | undefined;
}

export interface StatusChange {
  slug: string | undefined;
  statusId: number | undefined;
  note: string | undefined;
}
