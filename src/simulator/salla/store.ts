/** Everything that the simulated store consists of; its routes work on this. */
import type { Answer, Call } from '../kit.js';
import { refusal, success } from './answers.js';
import type { EventFeed } from './events.js';
import { type Language, languageOf, SENTENCE } from './language.js';
import type { SallaSimulatorOptions } from './options.js';
import type { OrderBook, StoredOrder } from './orders.js';
import type { ShipmentBook, StoredShipment } from './shipments.js';
import type { StatusCatalogue } from './statuses.js';

export interface Store {
  readonly options: SallaSimulatorOptions;
  readonly merchantId: number;
  readonly statuses: StatusCatalogue;
  readonly orders: OrderBook;
  readonly shipments: ShipmentBook;
  readonly events: EventFeed;
}

export const API_PREFIX = '/admin/v2';

/** How a write is answered; see the option. */
export function written(store: Store, data: unknown): Answer {
  return success(store.options.writeStatus ?? 201, data);
}

/** The order that a path names, or the answer that there is none (any more). */
export function orderOf(store: Store, call: Call): { order: StoredOrder } | { refused: Answer } {
  const order = store.orders.get(Number(call.params.id));
  if (order === undefined) return { refused: notFound(languageOf(call.headers)) };
  if (order.isDeleted) return { refused: refusal(410, SENTENCE.gone[languageOf(call.headers)]) };
  return { order };
}

/** The shipment that a path names, or the answer that there is none. */
export function shipmentOf(store: Store, call: Call): { shipment: StoredShipment } | { refused: Answer } {
  const shipment = store.shipments.get(Number(call.params.id));
  return shipment === undefined ? { refused: notFound(languageOf(call.headers)) } : { shipment };
}

export function notFound(language: Language): Answer {
  return refusal(404, SENTENCE.notFound[language]);
}
