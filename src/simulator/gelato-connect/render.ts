/**
 * What GelatoConnect shows of an order: the whole object of "Get Order" with every field of the document's
 * sample, the rows of "Search Orders", and the answer to "Update Shipment". Prices are 0, as in the sample.
 */
import type { OrderBook, StoredOrder } from './orders.js';
import { financialStatus } from './orders.js';
import { BILLING_ENTITY, CLIENT_ID, PART, partId, productUidOf, timestamp } from './parts.js';
import { renderReceipt } from './receipt.js';
import { chooseMethod, fulfilledIn, type ShipmentMethod } from './shipping.js';
import type { PrintFile, SubmitItem } from './wire.js';

const FACILITY_ID = 'c3a7e0f4-18d2-4b6e-8f35-6d9e2a71b054';
const CUSTOMER_REFERENCE_ID = 'sandbox-customer';
const CUSTOMER_ID = '8e4f2a90-3c6b-4d17-a5e8-91b7c0d3f26a';
const DAY_MS = 86_400_000;
// In the sample an order was placed two seconds before it was created.
const ORDERED_BEFORE_CREATED_MS = 2_000;

/** The answer to "Get Order". */
export function renderOrder(book: OrderBook, order: StoredOrder) {
  const { body } = order;
  const { status } = book.standing(order);
  const refusal = book.refusal(order);
  return {
    id: order.id,
    clientId: CLIENT_ID,
    orderReferenceId: body.orderReferenceId,
    customerReferenceId: CUSTOMER_REFERENCE_ID,
    fulfillmentStatus: status,
    financialStatus: financialStatus(status),
    currency: body.currency,
    shippingAddress: renderAddress(order),
    items: body.items.map((item, index) => renderItem(order, item, index, status)),
    shipment: renderShipment(order, book.hasShipped(order)),
    receipts: [renderReceipt(order)],
    createdAt: timestamp(order.createdAt),
    refusalReason: refusal?.reason ?? null,
    channel: 'api',
    storeId: null,
    orderedByUserId: null,
    orderType: order.orderType,
    metadata: [
      ...body.metadata,
      { key: 'tenant-customer-id', value: CUSTOMER_ID },
      { key: 'tenant-customer-uid', value: CUSTOMER_REFERENCE_ID },
    ],
    billingEntity: BILLING_ENTITY,
    retailCurrency: body.retailCurrency ?? null,
    paymentMethodType: null,
    paymentMethodId: null,
    prepaymentTransactionId: null,
    orderedAt: timestamp(order.createdAt - ORDERED_BEFORE_CREATED_MS),
    updatedAt: timestamp(book.updatedAt(order)),
    connectedOrderIds: [],
    discounts: [],
    returnAddress: {
      id: partId(order, PART.returnAddress),
      country: null,
      addressLine1: null,
      addressLine2: null,
      city: null,
      postCode: null,
      state: null,
      email: null,
      phone: null,
      companyName: BILLING_ENTITY.companyName,
    },
    iossNumber: null,
    refusalReasonCode: refusal?.code ?? null,
    refusalReasonDetails: null,
    comment: refusal?.reason ?? null,
    digitizationId: null,
    appServices: [],
    shipmentMethodUid: order.shipmentMethodUid ?? null,
  };
}

/** A row of "Search Orders". Its total is a string, unlike all other amounts. */
export function renderRow(book: OrderBook, order: StoredOrder) {
  const { status } = book.standing(order);
  return {
    id: order.id,
    clientId: CLIENT_ID,
    orderReferenceId: order.body.orderReferenceId,
    fulfillmentStatus: status,
    financialStatus: financialStatus(status),
    currency: order.body.currency,
    totalInclVat: '0.00',
    orderType: order.orderType,
    channel: 'api',
    storeId: null,
    connectedOrderIds: [],
    firstName: order.shippingAddress.firstName,
    lastName: order.shippingAddress.lastName,
    country: order.shippingAddress.country,
    itemsCount: order.body.items.length,
    createdAt: timestamp(order.createdAt),
    updatedAt: timestamp(book.updatedAt(order)),
    orderedAt: timestamp(order.createdAt - ORDERED_BEFORE_CREATED_MS),
    refusalReasonCode: book.refusal(order)?.code ?? null,
    appServices: [],
    customerReferenceId: CUSTOMER_REFERENCE_ID,
  };
}

/** The answer to "Submit Order". */
export function renderSubmitted(order: StoredOrder) {
  return {
    id: order.id,
    orderReferenceId: order.body.orderReferenceId,
    createdAt: timestamp(order.createdAt),
  };
}

/** The answer to "Update Shipment": a part of what "Get Order" shows. */
export function renderUpdatedShipment(order: StoredOrder) {
  const shipment = renderShipment(order, false);
  return {
    shippingAddress: renderAddress(order),
    shipment: {
      shipmentMethodUid: shipment.shipmentMethodUid,
      shipmentMethodName: shipment.shipmentMethodName,
      fulfillmentCountry: shipment.fulfillmentCountry,
      fulfillmentFacilityId: shipment.fulfillmentFacilityId,
      packageCount: shipment.packageCount,
      initialMinDeliveryDate: shipment.initialMinDeliveryDate,
      initialMaxDeliveryDate: shipment.initialMaxDeliveryDate,
      serviceType: shipment.serviceType,
    },
  };
}

function renderAddress(order: StoredOrder) {
  const address = order.shippingAddress;
  return {
    id: partId(order, PART.address),
    orderId: order.id,
    country: address.country,
    firstName: address.firstName,
    lastName: address.lastName,
    companyName: address.companyName ?? '',
    addressLine1: address.addressLine1,
    addressLine2: address.addressLine2 ?? '',
    city: address.city,
    postCode: address.postCode,
    state: address.state ?? '',
    email: address.email,
    phone: address.phone,
    isBusiness: address.isBusiness ?? false,
    federalTaxId: address.federalTaxId ?? null,
    stateTaxId: address.stateTaxId ?? null,
    registrationState: address.registrationState ?? null,
  };
}

function renderItem(order: StoredOrder, item: SubmitItem, index: number, status: string) {
  const productUid = productUidOf(item);
  const fileUrl = item.files[0]?.url ?? null;
  const mimeType = mimeTypeOf(fileUrl);
  return {
    id: partId(order, PART.items + index),
    itemReferenceId: item.itemReferenceId,
    productUid,
    storeProductVariantId: null,
    storeProductId: null,
    files: item.files.map(renderFile),
    processedFileUrl: null,
    quantity: item.quantity,
    options: [],
    category: 'Posters',
    productCategoryUid: 'wall-art',
    productTypeUid: 'poster',
    productNameUid: 'simulated-poster',
    productName: item.productName ?? 'Simulated Poster',
    fulfillmentStatus: status,
    pageCount: null,
    printJobs: [],
    eventLog: [],
    previews: ['preview_default', 'preview_thumbnail', 'preview_flat'].map((type) => ({
      type,
      url: fileUrl,
    })),
    designId: null,
    productFileMimeType: mimeType,
    finalProductUid: productUid,
    metadata: [...item.metadata, { key: 'unitWeight', value: '800' }, { key: 'unitPrice', value: '' }],
    retailPriceInclVat: item.retailPriceInclVat ?? null,
    attributes: [{ name: 'orientation', title: 'Orientation', value: 'ver', formattedValue: 'Vertical' }],
    itemReferenceName: null,
    isIgnored: false,
    price: 0,
    customTrim: null,
    fileUrl,
    dpi: 0,
    appServices: [],
    filesSize: 3.8,
    // An object when it was used, an empty array when not.
    productVariant: item.productVariant ?? [],
  };
}

function renderFile(file: PrintFile) {
  return {
    id: null,
    type: file.type,
    url: file.url,
    threadColors: [],
    isVisible: false,
    fitMethod: null,
    fillMethod: null,
    mimeType: mimeTypeOf(file.url),
    metadata: [],
  };
}

function renderShipment(order: StoredOrder, hasShipped: boolean) {
  const method = chooseMethod(order.shipmentMethodUid);
  const minDeliveryDate = date(order.createdAt + method.minDays * DAY_MS);
  const maxDeliveryDate = date(order.createdAt + method.maxDays * DAY_MS);
  return {
    id: partId(order, PART.shipment),
    orderProductId: null,
    shippingAddressId: partId(order, PART.address),
    promiseUid: `d_${order.id.replaceAll('-', '').slice(0, 24)}`,
    packageCount: 1,
    shipmentMethodUid: method.uid,
    shipmentMethodName: method.name,
    isCheapest: true,
    minDeliveryDays: method.minDays,
    maxDeliveryDays: method.maxDays,
    minDeliveryDate,
    maxDeliveryDate,
    totalWeight: 139,
    price: 0,
    status: null,
    packages: hasShipped ? [renderPackage(order, method)] : [],
    fulfillmentCountry: fulfilledIn(order.shippingAddress.country),
    fulfillmentFacilityId: FACILITY_ID,
    retailShippingPriceInclVat: order.body.retailShippingPriceInclVat ?? null,
    initialMinDeliveryDate: minDeliveryDate,
    initialMaxDeliveryDate: maxDeliveryDate,
    serviceType: method.tier,
    speedType: '',
  };
}

/**
 * The document shows no package. These are the fields of the package-status postback (GelatoConnect help,
 * "Postback event payload reference guide"), with the tracking beside them.
 */
function renderPackage(order: StoredOrder, method: ShipmentMethod) {
  const trackingCode = `SIM${order.id.replaceAll('-', '').slice(0, 12).toUpperCase()}`;
  return {
    id: partId(order, PART.package),
    items: order.body.items.map((item, index) => ({
      id: partId(order, PART.items + index),
      quantity: item.quantity,
      referenceId: item.itemReferenceId,
    })),
    status: 'shipped',
    weight: 139,
    trackingCode,
    trackingUrl: `https://tracking.example/${method.carrier}/${trackingCode}`,
  };
}

function mimeTypeOf(url: string | null): string {
  if (url?.endsWith('.png')) return 'image/png';
  if (url?.endsWith('.jpg') || url?.endsWith('.jpeg')) return 'image/jpeg';
  return 'application/pdf';
}

function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
