/** The rules for customers, addresses, the list of orders and webhooks (Wasal document, "Endpoints"). */
import type { Call } from '../kit.js';
import { isObject, isString } from '../reader.js';
import { invalid, refuse } from './answers.js';
import { strayAreas } from './areas.js';
import { STATUSES } from './life.js';
import { Complaints, Reader } from './reader.js';
import type { Checked } from './validate-order.js';
import {
  type AddressBody,
  type CustomerBody,
  type ListQuery,
  type UpsertBody,
  WEBHOOK_EVENTS,
  type WebhookBody,
} from './wire.js';

// "Endpoints", customers.
export const MAX_ADDRESSES = 5;
// "Endpoints", list / search.
const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 100;

// Which spellings are taken is not documented.
const PHONE = /^\+?[0-9]{8,15}$/;
const EMAIL = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/;
const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** `checkAreas`: whether an address may name known areas only. */
export function checkCustomer(body: unknown, checkAreas: boolean): Checked<CustomerBody> {
  return check(body, (customer) => {
    const addresses = customer.each('addresses');
    return {
      name: customer.text('name'),
      phoneNumber: readPhone(customer),
      email: readEmail(customer),
      addresses: addresses.map((address) => readAddress(address, checkAreas)),
    };
  });
}

export function checkUpsert(body: unknown): Checked<UpsertBody> {
  return check(body, (customer) => ({
    name: customer.lacks('name') ? undefined : customer.text('name'),
    phoneNumber: readPhone(customer),
    email: readEmail(customer),
  }));
}

export function checkAddress(body: unknown, checkAreas: boolean): Checked<AddressBody> {
  return check(body, (address) => readAddress(address, checkAreas));
}

/** `allowHttp`: whether a url may be `http://`, which Wasal itself refuses. */
export function checkWebhook(body: unknown, allowHttp: boolean): Checked<WebhookBody> {
  return check(body, (webhook) => {
    const url = webhook.text('url');
    const protocol = URL.canParse(url) ? new URL(url).protocol : '';
    if (protocol !== 'https:' && !(allowHttp && protocol === 'http:'))
      webhook.complain('url', 'must be an https:// address');
    return { url, events: readEvents(webhook) };
  });
}

/** The status of "advance-status". A draft has not begun its life, so nothing is moved to it. */
export function checkStatus(body: unknown): Checked<string> {
  const status = isObject(body) ? body.status : undefined;
  if (isString(status) && status !== 'draft' && STATUSES.has(status)) return { ok: true, value: status };
  return { ok: false, refusal: refuse('INVALID_STATUS') };
}

export function checkList(query: Call['query']): Checked<ListQuery> {
  return check(query, (list) => ({
    page: readNumber(list, 'page', 1, Number.MAX_SAFE_INTEGER),
    limit: readNumber(list, 'limit', LIMIT_DEFAULT, LIMIT_MAX),
    status: readStatus(list),
    dateFrom: readDate(list, 'dateFrom'),
    dateTo: readDate(list, 'dateTo'),
    referenceNumber: given(list, 'referenceNumber'),
    sandboxOnly: given(list, 'sandbox') === '1',
  }));
}

function check<T>(body: unknown, read: (fields: Reader) => T): Checked<T> {
  if (!isObject(body)) return { ok: false, refusal: invalid({ body: 'The body must be a JSON object' }) };
  const complaints = new Complaints();
  const value = read(new Reader(body, complaints));
  return complaints.none ? { ok: true, value } : { ok: false, refusal: invalid(complaints.byField) };
}

function readPhone(customer: Reader): string {
  const phone = customer.text('phoneNumber').replaceAll(/[\s()-]/g, '');
  if (!PHONE.test(phone)) customer.complain('phoneNumber', 'must be a phone number');
  return phone;
}

function readEmail(customer: Reader): string | undefined {
  const email = customer.lacks('email') ? undefined : customer.optionalText('email');
  if (email !== undefined && !EMAIL.test(email)) customer.complain('email', 'must be an email address');
  return email?.toLowerCase();
}

function readAddress(address: Reader, checkAreas: boolean): AddressBody {
  const body: AddressBody = {
    label: address.text('label'),
    addressType: address.optionalText('addressType'),
    governorateId: address.optionalText('governorateId'),
    neighborhoodId: address.optionalText('neighborhoodId'),
    blockId: address.optionalText('blockId'),
    streetId: address.optionalText('streetId'),
    houseNumber: address.optionalText('houseNumber'),
    buildingName: address.optionalText('buildingName'),
    floorNumber: address.optionalText('floorNumber'),
    apartmentNumber: address.optionalText('apartmentNumber'),
    line1: address.optionalText('line1'),
  };
  // "Traps": free text in place of a reference is refused with this message.
  if (checkAreas)
    for (const field of strayAreas(body)) address.complainAs(field, 'Invalid PACI location reference');
  return body;
}

function readEvents(webhook: Reader): readonly string[] {
  const events = webhook.raw('events');
  // "Webhooks": all four if omitted.
  if (events === undefined) return WEBHOOK_EVENTS;
  const known: readonly unknown[] = WEBHOOK_EVENTS;
  if (Array.isArray(events) && events.length > 0 && events.every((event) => known.includes(event)))
    return events.filter(isString);
  webhook.complain('events', `must be a list of ${WEBHOOK_EVENTS.join(', ')}`);
  return [];
}

/** Empty is as good as absent: clients send `?status=`. */
function given(list: Reader, name: string): string | undefined {
  return list.lacks(name) ? undefined : list.optionalText(name);
}

function readNumber(list: Reader, name: string, otherwise: number, most: number): number {
  const text = given(list, name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most)
    list.complain(name, most === LIMIT_MAX ? `must be from 1 to ${most}` : 'must be at least 1');
  return value;
}

function readStatus(list: Reader): string | undefined {
  const status = given(list, 'status');
  if (status !== undefined && !STATUSES.has(status)) list.complain('status', 'must be a status of an order');
  return status;
}

function readDate(list: Reader, name: string): number | undefined {
  const text = given(list, name);
  if (text === undefined) return undefined;
  const date = ISO_8601.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date)) list.complain(name, 'must be an ISO 8601 date');
  return date;
}
