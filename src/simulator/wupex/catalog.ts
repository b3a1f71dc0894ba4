/** What the simulated merchants sell, and how many codes of it are left. */
import type { Listing } from './listing.js';
import { type Checked, refuse } from './refusal.js';
import { fromThousandths, toThousandths } from './wallet.js';
import type { PullLine } from './wire.js';

/** A product as options and `POST /_control/product` write it; what is left out stays as it was, or gets its default. */
export interface ProductInput {
  /** The product list's `productCode`. */
  sku: string;
  merchant?: string | undefined;
  name?: string | undefined;
  /** Of one code [10]. */
  price?: number | undefined;
  /** How many codes are left [1,000,000]. */
  available?: number | undefined;
  /** The most codes that one line may ask for [100]; the document names the field without its meaning. */
  limit?: number | undefined;
  /** False: the account may see it, but not pull it [true]. */
  enabled?: boolean | undefined;
  /** Shown with its codes in the order detail, if given. */
  currency?: string | undefined;
  /** For how many days its codes are good, if given. */
  validDays?: number | undefined;
}

export interface Product {
  id: number;
  sku: string;
  merchant: string;
  name: string;
  priceThousandths: number;
  available: number;
  limit: number;
  enabled: boolean;
  currency: string | undefined;
  validDays: number | undefined;
  /** Codes that this account has pulled so far. */
  redeemed: number;
}

/** A line of an order with its product. */
export interface Choice {
  product: Product;
  quantity: number;
}

/** The document says that the list can be searched, but names no columns; these are fields of its rows. */
export const PRODUCT_LISTING: Listing<Product> = {
  columns: new Map([
    ['productId', { kind: 'number', of: (product) => product.id }],
    ['productName', { kind: 'text', of: (product) => product.name }],
    ['productCode', { kind: 'text', of: (product) => product.sku }],
    ['price', { kind: 'number', of: (product) => fromThousandths(product.priceThousandths) }],
    ['available', { kind: 'number', of: (product) => product.available }],
  ]),
  orderColumn: 'productId',
};

const DEFAULT_MERCHANT = 'giftwave';

/** What is for sale unless the options say otherwise: ordinary products, one sold out, one not allowed. */
export const PRODUCTS: readonly ProductInput[] = [
  { sku: 'GIFT-10', name: 'Gift Card 10', price: 9.5, currency: 'USD', validDays: 365 },
  { sku: 'GIFT-50', name: 'Gift Card 50', price: 47.25, currency: 'USD', validDays: 365 },
  { sku: 'PLAY-25', merchant: 'playhub', name: 'Game Credit 25', price: 23.875, currency: 'KWD' },
  { sku: 'PLAY-OUT', merchant: 'playhub', name: 'Game Credit, sold out', available: 0 },
  { sku: 'PLAY-OFF', merchant: 'playhub', name: 'Game Credit, not for this account', enabled: false },
];

export class Catalog {
  readonly #bySku = new Map<string, Product>();

  constructor(products: readonly ProductInput[]) {
    for (const product of products) this.put(product);
  }

  /** Creates the product, or changes what is given of it. */
  put(input: ProductInput): Product {
    const old = this.#bySku.get(input.sku);
    const product: Product = {
      id: old?.id ?? this.#bySku.size + 1,
      sku: input.sku,
      merchant: input.merchant ?? old?.merchant ?? DEFAULT_MERCHANT,
      name: input.name ?? old?.name ?? input.sku,
      priceThousandths:
        input.price === undefined ? (old?.priceThousandths ?? 10_000) : toThousandths(input.price),
      available: input.available ?? old?.available ?? 1_000_000,
      limit: input.limit ?? old?.limit ?? 100,
      enabled: input.enabled ?? old?.enabled ?? true,
      currency: input.currency ?? old?.currency,
      validDays: input.validDays ?? old?.validDays,
      redeemed: old?.redeemed ?? 0,
    };
    this.#bySku.set(product.sku, product);
    return product;
  }

  all(): readonly Product[] {
    return [...this.#bySku.values()];
  }

  /**
   * The products of an order's lines. Neither the answer to an unknown sku nor that to a merchant who has not
   * invited the account is documented; these are what the documented meanings of 404 and 403 suggest.
   */
  choose(lines: readonly PullLine[]): Checked<Choice[]> {
    const choices: Choice[] = [];
    for (const { merchant, sku, quantity } of lines) {
      const product = this.#bySku.get(sku);
      if (product === undefined) return refuse(404, `There is no product with the sku ${sku}`);
      if (product.merchant !== merchant || !product.enabled) {
        return refuse(403, `Your account is not entitled to ${sku} of the merchant ${merchant}`);
      }
      if (quantity > product.limit) {
        return refuse(422, `At most ${product.limit} codes of ${sku} can be pulled at once`);
      }
      choices.push({ product, quantity });
    }
    return { ok: true, value: choices };
  }

  /** The lines cut down to what is left, empty ones dropped; the same product may stand in several lines. */
  atMost(choices: readonly Choice[]): Choice[] {
    const left = new Map<Product, number>();
    const cut: Choice[] = [];
    for (const { product, quantity } of choices) {
      const available = left.get(product) ?? product.available;
      const taken = Math.min(quantity, available);
      left.set(product, available - taken);
      if (taken > 0) cut.push({ product, quantity: taken });
    }
    return cut;
  }

  take(choices: readonly Choice[]): void {
    for (const { product, quantity } of choices) {
      product.available -= quantity;
      product.redeemed += quantity;
    }
  }
}
