/**
 * What goes over the wire to and from GelatoConnect's Order Management API, as types. Amounts named
 * `…InclVat` are without VAT, whatever the name says (Order Management API documentation, "Item Parameters").
 */

export interface MetadataEntry {
  key: string;
  value: string;
}

export interface ShippingAddress {
  country: string;
  firstName: string;
  lastName: string;
  addressLine1: string;
  addressLine2?: string | undefined;
  city: string;
  postCode: string;
  state?: string | undefined;
  email: string;
  phone: string;
  companyName?: string | undefined;
  isBusiness?: boolean | undefined;
  federalTaxId?: string | undefined;
  stateTaxId?: string | undefined;
  registrationState?: string | undefined;
}

export interface PrintFile {
  type: string;
  url: string;
}

export interface SubmitItem {
  itemReferenceId: string;
  /** Either this, or `productName` and `productVariant`. */
  productUid?: string | undefined;
  productName?: string | undefined;
  productVariant?: Readonly<Record<string, string>> | undefined;
  quantity: number;
  retailPriceInclVat?: number | undefined;
  files: readonly PrintFile[];
  metadata: readonly MetadataEntry[];
}

export interface SubmitBody {
  orderReferenceId: string;
  orderType: 'order' | 'draft';
  currency: string;
  retailCurrency?: string | undefined;
  retailShippingPriceInclVat?: number | undefined;
  shipmentMethodUid?: string | undefined;
  shippingAddress: ShippingAddress;
  items: readonly SubmitItem[];
  metadata: readonly MetadataEntry[];
  preventDuplicate: boolean;
}

/** At least one of the two. */
export interface UpdateShipmentBody {
  shipmentMethodUid?: string | undefined;
  shippingAddress?: ShippingAddress | undefined;
}

export interface SearchBody {
  fulfillmentStatus?: readonly string[] | undefined;
  financialStatus?: readonly string[] | undefined;
  orderReferenceId?: string | undefined;
  orderReferenceIds?: readonly string[] | undefined;
  /** Milliseconds since the epoch; ISO 8601 on the wire. */
  startDate?: number | undefined;
  endDate?: number | undefined;
  countries?: readonly string[] | undefined;
  limit: number;
  offset: number;
}

/** Errors, and the success of a cancel. */
export interface Envelope {
  code: number;
  message: string;
}
