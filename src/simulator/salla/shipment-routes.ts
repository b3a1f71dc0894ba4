/** The operations on shipments and shipping companies. Which scope each needs: scopes.ts. */
import type { Answer, Call, Route } from '../kit.js';
import { isObject } from '../reader.js';
import { badFilters, impossible, invalid, success } from './answers.js';
import { addShipment, carryShipment, sendShipmentBack, setShipmentStatus } from './changes.js';
import { checkShipment, checkShipmentUpdate, WRITABLE_STATUSES } from './check-shipment.js';
import { COMPLAINT, languageOf, SENTENCE } from './language.js';
import { pageOf, Query } from './listing.js';
import { Complaints } from './reader.js';
import {
  COURIERS,
  renderCourier,
  renderShipment,
  renderTracking,
  renderUpdatedShipment,
} from './render-shipment.js';
import { CANCELED, type StoredShipment } from './shipments.js';
import { API_PREFIX, notFound, type Store, shipmentOf, written } from './store.js';

const SHIPMENTS = `${API_PREFIX}/shipments`;
const COMPANIES = `${API_PREFIX}/shipping/companies`;

export function shipmentRoutes(store: Store): Route[] {
  const route = (
    verb: string,
    method: Route['method'],
    path: string,
    handle: (store: Store, call: Call) => Answer,
  ): Route => ({
    verb,
    method,
    path,
    references: (call) => namesOf(store, call),
    handle: (call) => handle(store, call),
  });
  return [
    route('ship', 'POST', SHIPMENTS, ship),
    route('shipments', 'GET', SHIPMENTS, list),
    route('shipment', 'GET', `${SHIPMENTS}/:id`, get),
    route('updateShipment', 'PUT', `${SHIPMENTS}/:id`, update),
    route('tracking', 'GET', `${SHIPMENTS}/:id/tracking`, track),
    route('cancelShipment', 'POST', `${SHIPMENTS}/:id/cancel`, cancel),
    route('returnShipment', 'POST', `${SHIPMENTS}/:id/return`, sendBack),
    // The documentation writes the list with a slash at its end.
    route('companies', 'GET', COMPANIES, companies),
    route('companies', 'GET', `${COMPANIES}/`, companies),
    route('company', 'GET', `${COMPANIES}/:id`, company),
  ];
}

function ship(store: Store, call: Call): Answer {
  const language = languageOf(call.headers);
  const checked = checkShipment(call.body, (id) => hasOrder(store, id));
  if (!checked.ok) return invalid(checked.complaints, language);
  const { externalId } = checked.value;
  const isTaken = externalId !== undefined && store.shipments.byExternalId(externalId) !== undefined;
  if (isTaken && store.options.duplicates === 'reject') {
    const complaints = new Complaints();
    complaints.add('external_id', COMPLAINT.taken('external_id'));
    return invalid(complaints, language);
  }
  return written(store, renderShipment(store, addShipment(store, checked.value, call.hideMs)));
}

function list(store: Store, call: Call): Answer {
  const query = new Query(call.query);
  const page = query.page(store.options.perPageAboveLimit ?? 'reject');
  const orderId = query.integer('order_id');
  const fits = shipmentFilter(store, query);
  if (query.complaints.any) return badFilters(query.complaints, languageOf(call.headers));
  const candidates = orderId === undefined ? store.shipments.all() : store.shipments.ofOrder(orderId);
  const rows = candidates.filter(fits).reverse();
  return pageOf(rows, page, (shipment) => renderShipment(store, shipment), SHIPMENTS);
}

/** The filters of "List Shipments"; days as in "List Orders". */
function shipmentFilter(store: Store, query: Query): (shipment: StoredShipment) => boolean {
  const courierId = query.integer('courier_id');
  const slug = query.text('courier_slug');
  const status = query.choice('status', WRITABLE_STATUSES);
  const type = query.choice('shipment_type', ['shipment', 'return']);
  const paymentMethod = query.choice('payment_method', ['cod', 'pre_paid']);
  const fromDay = query.day('from_date');
  const toDay = query.day('to_date');
  const places = ['ship_to', 'ship_from'].flatMap((place) =>
    ['country_id', 'country_code', 'city_id'].map((name) => ({
      place,
      name,
      wanted: query.exact(`${place}[${name}]`),
    })),
  );
  const source = query.text('source');
  const now = store.options.time.clock.now();
  const lagMs = store.options.listLagMs ?? 0;
  return (shipment) => {
    const { body, createdAt } = shipment;
    const slugOf = COURIERS.find(({ id }) => id === body.courierId)?.slug;
    return (
      now >= Math.max(shipment.hiddenUntil, createdAt + lagMs) &&
      (courierId === undefined || body.courierId === courierId) &&
      (slug === undefined || slugOf === slug) &&
      (status === undefined || store.shipments.standing(shipment).status === status) &&
      (type === undefined || shipment.type === type) &&
      (paymentMethod === undefined || body.paymentMethod === paymentMethod) &&
      (fromDay === undefined || createdAt >= fromDay) &&
      (toDay === undefined || createdAt < toDay) &&
      (source === undefined || source === 'api') &&
      places.every(({ place, name, wanted }) => {
        const address = place === 'ship_to' ? body.shipTo : body.shipFrom;
        return wanted === undefined || String(address?.[name] ?? '') === wanted;
      })
    );
  };
}

function get(store: Store, call: Call): Answer {
  return withVisible(store, call, (shipment) => renderShipment(store, shipment));
}

function track(store: Store, call: Call): Answer {
  return withVisible(store, call, (shipment) => renderTracking(store, shipment));
}

function withVisible(store: Store, call: Call, render: (shipment: StoredShipment) => unknown): Answer {
  const found = shipmentOf(store, call);
  if ('refused' in found) return found.refused;
  if (!store.shipments.isVisible(found.shipment)) return notFound(languageOf(call.headers));
  return success(200, render(found.shipment));
}

function update(store: Store, call: Call): Answer {
  const found = shipmentOf(store, call);
  if ('refused' in found) return found.refused;
  const checked = checkShipmentUpdate(call.body, (id) => hasOrder(store, id));
  if (!checked.ok) return invalid(checked.complaints, languageOf(call.headers));
  carryShipment(store, found.shipment, checked.value);
  return written(store, renderUpdatedShipment(store, found.shipment));
}

/** One that the carrier has on its way is refused, as carriers do. */
function cancel(store: Store, call: Call): Answer {
  const found = shipmentOf(store, call);
  if ('refused' in found) return found.refused;
  const { shipment } = found;
  const language = languageOf(call.headers);
  const isCanceled = store.shipments.standing(shipment).status === CANCELED;
  if (isCanceled && store.options.repeatedStatus !== 'accept') {
    return impossible('status', SENTENCE.sameStatus, language);
  }
  if (!isCanceled && !store.shipments.isCancelable(shipment)) {
    return impossible('status', SENTENCE.tooLate, language);
  }
  if (!isCanceled) setShipmentStatus(store, shipment, CANCELED, false);
  return written(store, renderShipment(store, shipment));
}

function sendBack(store: Store, call: Call): Answer {
  const found = shipmentOf(store, call);
  if ('refused' in found) return found.refused;
  const { shipment } = found;
  const isDelivered = store.shipments.standing(shipment).status === 'delivered';
  if (!isDelivered || shipment.type === 'return') {
    return impossible('status', SENTENCE.notDelivered, languageOf(call.headers));
  }
  sendShipmentBack(store, shipment);
  return written(store, renderShipment(store, shipment));
}

function companies(): Answer {
  return success(200, COURIERS.map(renderCourier));
}

function company(_store: Store, call: Call): Answer {
  const courier = COURIERS.find(({ id }) => id === Number(call.params.id));
  return courier === undefined ? notFound(languageOf(call.headers)) : success(200, renderCourier(courier));
}

function hasOrder(store: Store, id: number): boolean {
  return store.orders.get(id)?.isDeleted === false;
}

/** What a fault rule may name: the ids and external ids of shipments, and the orders that they belong to. */
function namesOf(store: Store, call: Call): readonly string[] {
  const sent = isObject(call.body) ? call.body : {};
  const named = [call.params.id, call.query.order_id, sent.external_id, sent.order_id].flat();
  const shipment = store.shipments.get(Number(call.params.id));
  return [...named, shipment?.body.externalId, shipment?.body.orderId]
    .filter((name) => typeof name === 'string' || typeof name === 'number')
    .map(String);
}
