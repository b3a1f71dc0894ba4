/**
 * The rules that Salla documents for the bodies of shipments (Shipments API, "Create Shipment" and "Update
 * Shipment Details"). Unknown fields are let through: the documentation refuses none.
 */
import type { JsonObject } from '../reader.js';
import { COMPLAINT, KIND } from './language.js';
import { type Checked, check, type Fields } from './reader.js';
import type { Money, ShipmentBody, ShipmentUpdate } from './wire.js';

const CURRENCY = 'SAR';
// "Update Shipment Details", `tracking_link` and `pdf_label`.
const LONGEST_LINK = 300;

/** The statuses that a carrier may write and that lists filter by ("Update Shipment Details"). */
export const WRITABLE_STATUSES = [
  'created',
  'in_progress',
  'in_transit',
  'received_at_final_hub',
  'to_be_reattempted',
  'reattempted',
  'unable_to_deliver',
  'delivering',
  'delivered',
  'partially_delivered',
  'shipped',
  'cancelled',
  'lost',
  'damaged',
  'return_to_origin',
  'return_in_progress',
] as const;

/** `orderExists` says whether the store has an order with that id. */
export function checkShipment(body: unknown, orderExists: (id: number) => boolean): Checked<ShipmentBody> {
  return check(body, (shipment) => {
    shipment.need('courier_id', 'shipment_type', 'payment_method', 'packages');
    const paymentMethod = shipment.choice('payment_method', ['cod', 'pre_paid']) ?? 'pre_paid';
    if (paymentMethod === 'cod') shipment.need('cash_on_delivery');
    const from = shipment.object('ship_from');
    if (from?.choice('type', ['address', 'branch']) === 'branch') from.need('branch_id');
    return {
      orderId: readOrderId(shipment, orderExists),
      externalId: shipment.word('external_id'),
      externalCompanyName: shipment.text('external_company_name'),
      courierId: shipment.positive('courier_id') ?? 0,
      type: shipment.choice('shipment_type', ['shipment', 'return']) ?? 'shipment',
      paymentMethod,
      cashOnDelivery: readMoney(shipment.object('cash_on_delivery')),
      overwritesPending: shipment.flag('overwrite_exists_pending') ?? false,
      description: shipment.text('description'),
      remarks: shipment.text('remarks'),
      serviceTypes: shipment.list('service_types') ?? [],
      policyOptions: shipment.json('policy_options') ?? {},
      packages: readPackages(shipment),
      shipTo: shipment.json('ship_to'),
      shipFrom: shipment.json('ship_from'),
    };
  });
}

export function checkShipmentUpdate(
  body: unknown,
  orderExists: (id: number) => boolean,
): Checked<ShipmentUpdate> {
  return check(body, (update) => {
    update.need('shipment_number', 'status');
    return {
      shipmentNumber: update.word('shipment_number') ?? '',
      status: update.choice('status', WRITABLE_STATUSES) ?? '',
      trackingNumber: update.word('tracking_number'),
      trackingLink: readLink(update, 'tracking_link'),
      pdfLabel: readLink(update, 'pdf_label'),
      cost: update.amount('cost'),
      statusNote: update.text('status_note'),
      orderId: readOrderId(update, orderExists),
      externalCompanyName: update.text('external_company_name'),
    };
  });
}

function readOrderId(fields: Fields, orderExists: (id: number) => boolean): number | undefined {
  const orderId = fields.positive('order_id');
  if (orderId !== undefined && !orderExists(orderId)) fields.complain('order_id', COMPLAINT.unknown);
  return orderId;
}

function readMoney(money: Fields | undefined): Money {
  money?.need('amount', 'currency');
  return { amount: money?.amount('amount') ?? 0, currency: money?.text('currency') ?? CURRENCY };
}

function readPackages(shipment: Fields): JsonObject[] {
  const packages = shipment.objects('packages') ?? [];
  if (shipment.has('packages') && packages.length === 0) {
    shipment.complain('packages', (field) => COMPLAINT.kind(field, KIND.filledList));
  }
  for (const content of packages) content.positive('quantity');
  return packages.map(({ source }) => source);
}

/** A link can be too long and none at all: both are told. */
function readLink(update: Fields, name: string): string | undefined {
  const link = update.shortText(name, LONGEST_LINK);
  if (link !== undefined && !URL.canParse(link)) {
    update.complain(name, (field) => COMPLAINT.kind(field, KIND.url));
  }
  return link;
}
