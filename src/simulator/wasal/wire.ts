/** What goes over the wire to and from Wasal's Merchant Integration API. */

/** The envelope of every error; `errors` and `data` only where the document has them. */
export interface ErrorEnvelope {
  success: false;
  message: string;
  code: string;
  /** One text per field, with VALIDATION_FAILED only. */
  errors?: Readonly<Record<string, string>>;
  /** With INSUFFICIENT_WALLET_BALANCE only; amounts in KWD. */
  data?: { required: number; balance: number; currency: 'KWD' };
}

export interface SuccessEnvelope {
  success: true;
  data: unknown;
}

/** Which of a merchant's two keys made a call: production or sandbox. */
export type Environment = 'live' | 'test';

/** Amounts in fils, a thousandth of a dinar, so that they add up exactly; dinars on the wire. */
export interface Pricing {
  subtotal: number | undefined;
  deliveryFee: number | undefined;
  total: number | undefined;
}

export interface OrderItem {
  name: string | undefined;
  sku: string | undefined;
  qty: number | undefined;
  /** In fils. */
  price: number | undefined;
}

export interface OrderBody {
  customerId: string;
  customerAddressId: string | undefined;
  branchId: string | undefined;
  branchCode: string | undefined;
  specialHandlingTags: readonly string[];
  packageSide: string | undefined;
  packagePhoto: string | undefined;
  paymentMethod: 'cod' | 'prepaid';
  /** In fils. */
  amountToCollect: number | undefined;
  pricing: Pricing;
  items: readonly OrderItem[];
  merchantNotes: string | undefined;
  orderMerchantReferenceNumber: string | undefined;
  isDraft: boolean;
}

export interface AddressBody {
  label: string;
  addressType: string | undefined;
  governorateId: string | undefined;
  neighborhoodId: string | undefined;
  blockId: string | undefined;
  streetId: string | undefined;
  houseNumber: string | undefined;
  buildingName: string | undefined;
  floorNumber: string | undefined;
  apartmentNumber: string | undefined;
  line1: string | undefined;
}

export interface CustomerBody {
  name: string;
  phoneNumber: string;
  email: string | undefined;
  addresses: readonly AddressBody[];
}

export interface UpsertBody {
  /** Needed only where the customer does not exist yet. */
  name: string | undefined;
  phoneNumber: string;
  email: string | undefined;
}

export interface ListQuery {
  page: number;
  limit: number;
  status: string | undefined;
  /** Milliseconds since the epoch, both ends included; ISO 8601 on the wire. */
  dateFrom: number | undefined;
  dateTo: number | undefined;
  referenceNumber: string | undefined;
  sandboxOnly: boolean;
}

/** "Webhooks". */
export const WEBHOOK_EVENTS = [
  'order.created',
  'order.status_changed',
  'order.delivered',
  'order.cancelled',
] as const;

export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export interface WebhookBody {
  url: string;
  events: readonly string[];
}
