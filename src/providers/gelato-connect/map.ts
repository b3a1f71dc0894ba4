/**
 * Between our words and GelatoConnect's: an order becomes a request, an answer becomes a state. Pure.
 * The wire's `...InclVat` amounts are amounts without VAT (wire.ts); nothing on our side carries that name.
 */
import type { JsonObject } from '../../json.js';
import type { OrderBody, OrderItem } from '../../orders/body.js';
import type { OrderStatus, OrderView, ProviderState, Tracking } from '../../orders/order.js';
import { wireNumber } from '../amounts.js';
import { statusWord, timestamp, unknownStatus, webAddress } from '../reading.js';
import { given, present } from '../requests.js';
import {
  itemOptions,
  itemPriceExVat,
  type OrderAnswer,
  type OrderType,
  orderOptions,
  type SubmitBody,
  type UpdateBody,
  updateParams,
  type WireAddress,
  type WireItem,
  type WireMetadata,
} from './wire.js';

/**
 * The body of a submit.
 * @param order one whose body has passed `bodyProblems`; anything else throws, being a mistake of ours
 */
export function submitBody(
  order: OrderView,
  settings: { orderType: OrderType; preventDuplicate: boolean },
): SubmitBody {
  const { body } = order;
  const { retailCurrency } = orderOptions.parse(body.options ?? {});
  const shippingExVat = body.totals?.shipping;
  return {
    orderReferenceId: order.providerReference,
    orderType: settings.orderType,
    currency: present(body.currency, 'currency'),
    ...given({ retailCurrency }),
    ...(shippingExVat === undefined ? {} : { retailShippingPriceInclVat: wireNumber(shippingExVat) }),
    ...given({ shipmentMethodUid: body.shippingMethod }),
    shippingAddress: wireAddress(body),
    items: (body.items ?? []).map(wireItem),
    ...(body.metadata === undefined ? {} : { metadata: wireMetadata(body.metadata) }),
    ...(settings.preventDuplicate ? { preventDuplicate: true } : {}),
  };
}

/**
 * The body of an update. The provider takes an address whole, with the recipient in it: what the parameters
 * leave out comes from the order.
 */
export function updateBody(order: OrderView, params: JsonObject): UpdateBody {
  const { shippingMethod, shippingAddress, customer } = updateParams.parse(params);
  const changed: OrderBody = {
    ...order.body,
    customer: { ...order.body.customer, ...customer },
    shippingAddress: shippingAddress ?? order.body.shippingAddress,
  };
  return {
    ...given({ shipmentMethodUid: shippingMethod }),
    ...(shippingAddress === undefined && customer === undefined
      ? {}
      : { shippingAddress: wireAddress(changed) }),
  };
}

function wireAddress(body: OrderBody): WireAddress {
  const customer = present(body.customer, 'customer');
  const address = present(body.shippingAddress, 'shippingAddress');
  const { isBusiness, stateTaxId, registrationState } = orderOptions.parse(body.options ?? {});
  return {
    country: address.country,
    firstName: present(customer.firstName, 'customer.firstName'),
    lastName: present(customer.lastName, 'customer.lastName'),
    addressLine1: address.line1,
    ...given({ addressLine2: address.line2 }),
    city: address.city,
    postCode: present(address.postCode, 'shippingAddress.postCode'),
    state: address.state ?? '',
    email: present(customer.email, 'customer.email'),
    phone: present(customer.phone, 'customer.phone'),
    ...given({
      companyName: customer.company,
      isBusiness,
      federalTaxId: customer.taxId,
      stateTaxId,
      registrationState,
    }),
  };
}

function wireItem(item: OrderItem): WireItem {
  const { productName, productVariant } = itemOptions.parse(item.options ?? {});
  const priceExVat = itemPriceExVat(item);
  return {
    itemReferenceId: item.reference,
    ...given({ productUid: item.sku, productName, productVariant }),
    quantity: item.quantity,
    ...(priceExVat === null ? {} : { retailPriceInclVat: wireNumber(priceExVat) }),
    files: (item.files ?? []).map(({ type, url }) => ({ type, url })),
    ...(item.metadata === undefined ? {} : { metadata: wireMetadata(item.metadata) }),
  };
}

function wireMetadata(metadata: NonNullable<OrderBody['metadata']>): WireMetadata[] {
  return Object.entries(metadata).map(([key, value]) => ({ key, value: String(value) }));
}

/**
 * `fulfillmentStatus` in our words. The document shows `failed`, `canceled`, `delivered` and speaks of `shipped`;
 * the others are public ("Order flows and statuses" and the order details of Gelato's order API).
 */
const STATUSES: ReadonlyMap<string, OrderStatus> = new Map<string, OrderStatus>([
  ['draft', 'draft'],
  ['received', 'submitted'],
  ['created', 'submitted'],
  ['uploading', 'submitted'],
  ['passed', 'in_progress'],
  ['in_production', 'in_progress'],
  ['printed', 'in_progress'],
  ['packaged', 'in_progress'],
  ['shipped', 'shipped'],
  ['in_transit', 'shipped'],
  ['delivered', 'delivered'],
  ['returned', 'returned'],
  ['canceled', 'canceled'],
  ['cancelled', 'canceled'],
  ['failed', 'failed'],
]);

/** Words under which the order stands still until a person acts at the provider. */
const NEEDS_A_PERSON: ReadonlySet<string> = new Set([
  'pending_approval',
  'pending_personalization',
  'digitizing',
  'not_connected',
  'on_hold',
]);

/** Words that an order can bear while nobody has begun to produce it: of type draft, it is a draft still. */
const BEFORE_PRODUCTION: ReadonlySet<string> = new Set([
  '',
  'draft',
  'received',
  'created',
  'uploading',
  'passed',
]);

/**
 * An order of the provider as a state.
 * @param partial it is a row of a search, which tells neither tracking nor the reason of a refusal in words
 */
export function toState(answer: OrderAnswer, partial: boolean): ProviderState {
  const rawStatus = answer.fulfillmentStatus ?? '';
  const createdAt = timestamp(answer.createdAt);
  const tracking = toTracking(answer.shipment);
  const financialStatus = answer.financialStatus ?? null;
  return {
    providerOrderId: answer.id,
    reference: answer.orderReferenceId ?? null,
    rawStatus,
    ...standing(rawStatus, answer),
    ...(tracking.length === 0 ? {} : { tracking }),
    ...(partial ? { partial } : {}),
    ...(createdAt === null ? {} : { createdAt }),
    ...(financialStatus === null ? {} : { data: { financialStatus } }),
  };
}

function standing(
  rawStatus: string,
  answer: OrderAnswer,
): Pick<ProviderState, 'status' | 'failure' | 'attention'> {
  const word = statusWord(rawStatus);
  if (answer.orderType?.toLowerCase() === 'draft' && BEFORE_PRODUCTION.has(word)) return { status: 'draft' };
  const status = STATUSES.get(word);
  if (status === 'failed') return { status, failure: failure(answer) };
  if (status !== undefined) return { status };
  if (NEEDS_A_PERSON.has(word)) {
    return {
      status: null,
      attention: {
        code: 'provider_attention',
        detail: `GelatoConnect holds the order as ${rawStatus}: see to it there`,
      },
    };
  }
  return { status: null, attention: unknownStatus('GelatoConnect', rawStatus) };
}

/** A refusal after acceptance: the code is the provider's own, the sentence is missing in search rows. */
function failure(answer: OrderAnswer): NonNullable<ProviderState['failure']> {
  const code = answer.refusalReasonCode || 'failed';
  return {
    code,
    message: answer.refusalReason || answer.comment || `GelatoConnect failed the order: ${code}`,
  };
}

/** Parcels are not shown in the document; both shapes known from postbacks and clients are read. */
function toTracking(shipment: OrderAnswer['shipment']): Tracking[] {
  const carrier = shipment?.shipmentMethodName || null;
  const parcels = (shipment?.packages ?? []).map(
    (parcel): Tracking => ({
      carrier: parcel?.carrier || carrier,
      code: parcel?.trackingCode || parcel?.tracking?.code || null,
      url: webAddress(parcel?.trackingUrl || parcel?.tracking?.url),
      status: parcel?.status || null,
    }),
  );
  const whole = {
    carrier,
    code: shipment?.tracking?.code || null,
    url: webAddress(shipment?.tracking?.url),
    status: null,
  };
  const told = parcels.filter(leadsSomewhere);
  return told.length > 0 ? told : [whole].filter(leadsSomewhere);
}

function leadsSomewhere({ code, url }: Tracking): boolean {
  return code !== null || url !== null;
}

/**
 * Whether the provider's order holds what this body asks for. Compared as a subset, for the provider adds
 * entries of its own; null where the answer does not tell.
 */
export function sameContent(body: OrderBody, answer: OrderAnswer): boolean | null {
  const found = answer.items ?? [];
  if (found.length === 0) return null;
  const country = answer.shippingAddress?.country;
  if (country && country.toUpperCase() !== body.shippingAddress?.country) return false;
  const verdicts = (body.items ?? []).map((item) => sameItem(item, found));
  if (verdicts.includes(false)) return false;
  return verdicts.includes(null) ? null : true;
}

function sameItem(item: OrderItem, found: NonNullable<OrderAnswer['items']>): boolean | null {
  const candidates = found.filter(({ itemReferenceId }) => itemReferenceId === item.reference);
  if (candidates.length === 0) return found.some(({ itemReferenceId }) => !itemReferenceId) ? null : false;
  return candidates.some((candidate) => {
    const uids = [candidate.productUid, candidate.finalProductUid].filter((uid) => uid);
    const sameProduct = item.sku === undefined || uids.length === 0 || uids.includes(item.sku);
    return sameProduct && (typeof candidate.quantity !== 'number' || candidate.quantity === item.quantity);
  });
}
