/** What the simulator holds, in the shapes in which WUPEX shows it. */
import type { Product } from './catalog.js';
import type { SerialsSwitch } from './controls.js';
import type { OrderBook, StoredLine, StoredOrder } from './orders.js';
import { fromThousandths } from './wallet.js';
import type { DetailSerial, OrderDetail, OrderRow, ProductRow, Pulled, Serial } from './wire.js';

const DAY_MS = 86_400_000;

/** The answer of pull-codes, with as many serials as the switch and the order's status let it have. */
export function renderPulled(book: OrderBook, order: StoredOrder, answer: SerialsSwitch['answer']): Pulled {
  const head = { orderName: order.name, totalAmount: fromThousandths(order.totalThousandths) };
  if (answer === 'absent') return head;
  const serials = order.lines.flatMap((line) => line.serials);
  const most = { all: serials.length, some: serials.length - 1, none: 0 }[answer];
  return { ...head, serials: serials.slice(0, Math.min(most, book.serialsShown(order))) };
}

/** The document tells what an order is searched and sorted by, but not what a row holds. */
export function renderRow(book: OrderBook, order: StoredOrder): OrderRow {
  return {
    orderName: order.name,
    referenceId: order.reference ?? null,
    orderAmount: fromThousandths(order.totalThousandths),
    orderDate: new Date(order.createdAt).toISOString(),
    status: book.status(order),
  };
}

/** Documented are `orderData[].serials[]` and the fields of a serial; the others stand beside them. */
export function renderDetail(book: OrderBook, order: StoredOrder): OrderDetail {
  let left = book.serialsShown(order);
  return {
    ...renderRow(book, order),
    orderData: order.lines.map((line) => {
      const serials = line.serials.slice(0, left);
      left -= serials.length;
      return {
        sku: line.product.sku,
        merchant: line.product.merchant,
        productName: line.product.name,
        quantity: line.quantity,
        price: fromThousandths(line.product.priceThousandths),
        serials: serials.map((serial) => renderSerial(serial, line, order.createdAt)),
      };
    }),
  };
}

function renderSerial({ serialCode, serialNumber }: Serial, line: StoredLine, soldAt: number): DetailSerial {
  const { currency, validDays } = line.product;
  return {
    serialCode,
    serialNumber,
    ...(currency === undefined ? {} : { currency }),
    ...(validDays === undefined ? {} : { expiry: new Date(soldAt + validDays * DAY_MS).toISOString() }),
  };
}

export function renderProduct(product: Product): ProductRow {
  return {
    productId: product.id,
    productName: product.name,
    imageUrl: `https://images.example/${encodeURIComponent(product.sku)}.png`,
    productCode: product.sku,
    price: fromThousandths(product.priceThousandths),
    limit: product.limit,
    redeemed: product.redeemed,
    available: product.available,
    enabled: product.enabled,
    productType: 'voucher',
    balance: 0,
    discountRate: 0,
    previouslyPurchased: product.redeemed > 0,
    favorite: false,
  };
}
