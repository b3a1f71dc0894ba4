/** The receipt inside "Get Order", with every field of the document's sample. Nothing costs anything here. */
import type { StoredOrder } from './orders.js';
import { BILLING_ENTITY, CLIENT_ID, PART, partId, productUidOf, timestamp } from './parts.js';
import { chooseMethod } from './shipping.js';

const NOTHING_TO_PAY = {
  productsPriceInitial: 0,
  productsPriceDiscount: 0,
  productsPrice: 0,
  productsPriceVat: 0,
  productsPriceInclVat: 0,
  digitizationPriceInitial: 0,
  digitizationPriceDiscount: 0,
  digitizationPrice: 0,
  digitizationPriceVat: 0,
  digitizationPriceInclVat: 0,
  shippingPriceInitial: 0,
  shippingPriceDiscount: 0,
  shippingPrice: 0,
  shippingPriceVat: 0,
  shippingPriceInclVat: 0,
  packagingPriceInitial: 0,
  packagingPriceDiscount: 0,
  packagingPrice: 0,
  packagingPriceVat: 0,
  packagingPriceInclVat: 0,
  discount: 0,
  discountVat: 0,
  discountInclVat: 0,
  totalInitial: 0,
  total: 0,
  totalVat: 0,
  totalInclVat: 0,
};

export function renderReceipt(order: StoredOrder) {
  const createdAt = timestamp(order.createdAt);
  const line = (part: number, type: string, referenceId: string, title: string, amount: number) => ({
    id: partId(order, part),
    receiptId: partId(order, PART.receipt),
    orderId: order.id,
    clientId: CLIENT_ID,
    type,
    referenceId,
    title,
    currency: order.body.currency,
    priceBase: 0,
    amount,
    priceInitial: 0,
    discount: 0,
    price: 0,
    vat: 0,
    priceInclVat: 0,
    pricePlanId: null,
    createdAt,
    updatedAt: createdAt,
  });
  const shipmentId = partId(order, PART.shipment);
  const method = chooseMethod(order.shipmentMethodUid);
  return {
    id: partId(order, PART.receipt),
    orderId: order.id,
    type: 'contract',
    currency: order.body.currency,
    items: [
      ...order.body.items.map((item, index) =>
        line(
          PART.productLines + index,
          'product',
          partId(order, PART.items + index),
          `${item.quantity}x ${productUidOf(item)}`,
          item.quantity,
        ),
      ),
      line(PART.shipmentLine, 'shipment', shipmentId, `Delivery using ${method.name}`, 1),
      line(PART.packagingLine, 'packaging', shipmentId, 'Packaging', 1),
    ],
    createdAt,
    updatedAt: createdAt,
    receiptNumber: `005-${String(Number.parseInt(order.id.slice(0, 8), 16)).padStart(10, '0')}`,
    billingEntity: BILLING_ENTITY,
    billingTag: 'simulated-print-shop-de',
    transactionType: 'purchase',
    ...NOTHING_TO_PAY,
    isCalculated: true,
  };
}
