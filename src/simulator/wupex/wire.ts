/** What goes over the wire to and from WUPEX's API, as types. Amounts are numbers; no currency goes with them. */

/** One line of the bare array that pull-codes takes (WUPEX document, "Endpoints"). */
export interface PullLine {
  merchant: string;
  sku: string;
  quantity: number;
}

/** One code: `serialCode` is the secret, `serialNumber` the public serial (WUPEX document, "Endpoints"). */
export interface Serial {
  sku: string;
  serialCode: string;
  serialNumber: string;
}

/** A code as the order detail has it, without its sku: the line around it says that. */
export interface DetailSerial {
  serialCode: string;
  serialNumber: string;
  currency?: string;
  expiry?: string;
}

export interface Pulled {
  orderName: string;
  totalAmount: number;
  serials?: Serial[];
}

export interface OrderRow {
  orderName: string;
  referenceId: string | null;
  orderAmount: number;
  orderDate: string;
  status: string;
}

export interface OrderDetail extends OrderRow {
  orderData: {
    sku: string;
    merchant: string;
    productName: string;
    quantity: number;
    price: number;
    serials: DetailSerial[];
  }[];
}

/** `creditBalance` is the sum of the other two. */
export interface BalanceBody {
  balance: number;
  credit: number;
  creditBalance: number;
}

export interface ProductRow {
  productId: number;
  productName: string;
  imageUrl: string;
  productCode: string;
  price: number;
  limit: number;
  redeemed: number;
  available: number;
  enabled: boolean;
  productType: string;
  balance: number;
  discountRate: number;
  previouslyPurchased: boolean;
  favorite: boolean;
}

export interface PageInfo {
  totalPage: number;
  totalCount: number;
  pageSize: number;
  currentPage: number;
}
