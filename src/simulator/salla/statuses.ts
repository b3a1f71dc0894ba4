/**
 * The statuses of the simulated store. Its ids are its own; `original` ids are the same in every store. As in
 * real stores, merchants have added statuses of their own: one that shares the slug of its parent, one without.
 */
import type { Language, Text } from './language.js';

export interface OrderStatus {
  /** The store's. */
  id: number;
  name: Text;
  slug: string | null;
  /** Absent for the merchant's own. */
  originalId: number | undefined;
  parent: OrderStatus | undefined;
  sort: number;
}

type Draft = [slug: string, arabic: string, english: string, parentSlug?: string];

// "Status lifecycle"; the order in which the documentation's sample lists them, then the others.
const ORIGINALS: readonly Draft[] = [
  ['payment_pending', 'بإنتظار الدفع', 'Awaiting payment'],
  ['under_review', 'بإنتظار المراجعة', 'Under review'],
  ['in_progress', 'قيد التنفيذ', 'In progress'],
  ['completed', 'تم التنفيذ', 'Completed'],
  ['delivering', 'جاري التوصيل', 'Delivering', 'completed'],
  ['delivered', 'تم التوصيل', 'Delivered', 'completed'],
  ['shipped', 'تم الشحن', 'Shipped', 'completed'],
  ['canceled', 'ملغي', 'Canceled'],
  ['restoring', 'قيد الإسترجاع', 'Restoring'],
  ['restored', 'مسترجع', 'Restored', 'restoring'],
  ['request_quote', 'طلب عرض سعر', 'Request quote'],
  ['waiting_for_payment_confirmation', 'بإنتظار تأكيد الدفع', 'Awaiting confirmation of payment'],
  ['payment_failed', 'فشل الدفع', 'Payment failed'],
];

/** What an order passes by itself. */
const CYCLE = ['under_review', 'in_progress', 'completed', 'shipped', 'delivering', 'delivered'];

// The merchant may still take it back: it has not left the house.
const CANCELABLE: ReadonlySet<string | null> = new Set([
  'draft',
  'payment_pending',
  'under_review',
  'in_progress',
  'completed',
  'request_quote',
  'waiting_for_payment_confirmation',
]);

const ORIGINAL_IDS_FROM = 500_000_001;

export class StatusCatalogue {
  readonly #all: OrderStatus[] = [];
  readonly draft: OrderStatus;

  /** Each merchant's store has other ids. */
  constructor(merchantId: number) {
    const firstId = 1_000_000_000 + (merchantId % 1_000_000) * 100;
    const add = (slug: string | null, name: Text, originalId?: number, parent?: OrderStatus) => {
      const sort = this.#all.length;
      const status = { id: firstId + sort, name, slug, originalId, parent, sort };
      this.#all.push(status);
      return status;
    };
    for (const [index, [slug, ar, en, parentSlug]] of ORIGINALS.entries()) {
      const parent = this.#all.find((status) => status.slug === parentSlug);
      add(slug, { ar, en }, ORIGINAL_IDS_FROM + index, parent);
    }
    const inProgress = this.bySlug('in_progress');
    add('in_progress', { ar: 'في المستودع', en: 'In the warehouse' }, undefined, inProgress);
    add(null, { ar: 'تغليف هدية', en: 'Gift wrapping' }, undefined, inProgress);
    // A draft is no status of the store, so it is in no list.
    this.draft = {
      id: firstId - 1,
      name: { ar: 'مسودة', en: 'Draft' },
      slug: 'draft',
      originalId: undefined,
      parent: undefined,
      sort: 99,
    };
  }

  get all(): readonly OrderStatus[] {
    return this.#all;
  }

  cycle(): OrderStatus[] {
    return this.#all
      .filter((status) => status.originalId !== undefined && CYCLE.includes(status.slug ?? ''))
      .sort((a, b) => CYCLE.indexOf(a.slug ?? '') - CYCLE.indexOf(b.slug ?? ''));
  }

  /** One of Salla's own. */
  bySlug(slug: string): OrderStatus | undefined {
    return this.#all.find((status) => status.slug === slug && status.originalId !== undefined);
  }

  /** By the store's id or the original one. */
  byId(id: number): OrderStatus | undefined {
    return this.#all.find((status) => status.id === id || status.originalId === id);
  }

  byName(name: string): OrderStatus | undefined {
    return this.#all.find((status) => Object.values<string>(status.name).includes(name));
  }

  /** By slug, name or id; a word that is none of these is a status that the merchant has just invented. */
  named(word: string): OrderStatus {
    if (word === this.draft.slug) return this.draft;
    const found = this.bySlug(word) ?? this.byName(word) ?? this.byId(Number(word));
    if (found !== undefined) return found;
    const sort = this.#all.length;
    const invented: OrderStatus = {
      id: (this.#all[0]?.id ?? 0) + sort,
      name: { ar: word, en: word },
      slug: null,
      originalId: undefined,
      parent: undefined,
      sort,
    };
    this.#all.push(invented);
    return invented;
  }
}

export function isCancelable(status: OrderStatus): boolean {
  return CANCELABLE.has(status.slug ?? status.parent?.slug ?? null);
}

/** As orders show it: Salla's own status, and in `customized` what the store has made of it. */
export function renderStatus(status: OrderStatus, language: Language) {
  const name = status.name[language];
  return {
    id: status.originalId ?? status.id,
    name,
    slug: status.slug,
    customized: { id: status.id, name },
  };
}

/** A row of "List Order Statuses". */
export function renderStatusRow(status: OrderStatus, all: readonly OrderStatus[], language: Language) {
  const brief = (id: number, of: OrderStatus) => ({ id, name: of.name[language] });
  return {
    id: status.id,
    name: status.name[language],
    type: status.originalId === undefined ? 'custom' : 'original',
    slug: status.slug,
    message: '',
    color: '#58C9B9',
    icon: 'sicon-badge',
    sort: status.sort,
    is_active: true,
    original: status.originalId === undefined ? null : brief(status.originalId, status),
    parent: status.parent === undefined ? null : brief(status.parent.id, status.parent),
    children: all.filter((child) => child.parent === status).map((child) => brief(child.id, child)),
  };
}
