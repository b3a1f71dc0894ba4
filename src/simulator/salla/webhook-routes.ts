/** The operations by which webhooks are registered ("Webhooks"). */
import type { Answer, Call, Route } from '../kit.js';
import { badFilters, done, invalid, success } from './answers.js';
import { STORE_EVENTS, type Subscription } from './events.js';
import { COMPLAINT, KIND, languageOf, SENTENCE } from './language.js';
import { pageOf, Query } from './listing.js';
import type { SecurityStrategy } from './options.js';
import { type Checked, Complaints, check, type Fields } from './reader.js';
import { API_PREFIX, notFound, type Store, written } from './store.js';

const WEBHOOKS = `${API_PREFIX}/webhooks`;
const STRATEGIES: readonly SecurityStrategy[] = ['signature', 'token', 'none'];
const NEWEST_VERSION = 2;

export function webhookRoutes(store: Store): Route[] {
  const route = (
    verb: string,
    method: Route['method'],
    path: string,
    handle: (store: Store, call: Call) => Answer,
  ): Route => ({ verb, method, path, references: () => [], handle: (call) => handle(store, call) });
  return [
    route('subscribe', 'POST', `${WEBHOOKS}/subscribe`, subscribe),
    route('unsubscribe', 'DELETE', `${WEBHOOKS}/unsubscribe`, unsubscribe),
    route('webhooks', 'GET', WEBHOOKS, list),
    route('webhookEvents', 'GET', `${WEBHOOKS}/events`, events),
    route('updateWebhook', 'PUT', `${WEBHOOKS}/:id`, update),
  ];
}

/** A 200, as in the sample of "Register Webhook". */
function subscribe(store: Store, call: Call): Answer {
  const checked = check(call.body, (body) => {
    body.need('event', 'url');
    return {
      name: null,
      rule: null,
      version: NEWEST_VERSION,
      headers: {},
      // The page on webhooks gives one without a strategy a signature.
      strategy: 'signature' as const,
      secret: undefined,
      ...readChanges(body),
      event: body.choice('event', STORE_EVENTS) ?? 'order.created',
      url: readUrl(body) ?? '',
    };
  });
  if (!checked.ok) return invalid(checked.complaints, languageOf(call.headers));
  return success(200, render(store.events.subscribe(checked.value)));
}

function update(store: Store, call: Call): Answer {
  const language = languageOf(call.headers);
  const subscription = store.events.get(Number(call.params.id));
  if (subscription === undefined) return notFound(language);
  const checked: Checked<Partial<Subscription>> = check(call.body, (body) => {
    const url = readUrl(body);
    return { ...readChanges(body), ...(url === undefined ? {} : { url }) };
  });
  if (!checked.ok) return invalid(checked.complaints, language);
  return written(store, render(store.events.change(subscription, checked.value)));
}

function list(store: Store, call: Call): Answer {
  const query = new Query(call.query);
  const page = query.page(store.options.perPageAboveLimit ?? 'reject');
  if (query.complaints.any) return badFilters(query.complaints, languageOf(call.headers));
  return pageOf(store.events.subscriptions, page, render, WEBHOOKS);
}

function events(): Answer {
  return success(
    200,
    STORE_EVENTS.map((event, index) => ({ id: index + 1, label: event.replaceAll('.', ' '), event })),
  );
}

/** By id, by URL or by both; the one success that is a 202: something was deleted. */
function unsubscribe(store: Store, call: Call): Answer {
  const language = languageOf(call.headers);
  const query = new Query(call.query);
  const id = query.integer('id');
  const url = query.text('url');
  if (query.complaints.any) return badFilters(query.complaints, language);
  if (id === undefined && url === undefined) {
    const complaints = new Complaints();
    complaints.add('id', COMPLAINT.required('id'));
    complaints.add('url', COMPLAINT.required('url'));
    return invalid(complaints, language);
  }
  if (store.events.unsubscribe(id, url) === 0) return notFound(language);
  return done(202, SENTENCE.deleted[language]);
}

/** What both operations may say; only what was said. */
function readChanges(body: Fields): Partial<Omit<Subscription, 'id' | 'event' | 'url'>> {
  const name = body.text('name');
  const rule = body.text('rule');
  const version = body.positive('version');
  if (version !== undefined && version > NEWEST_VERSION) {
    body.complain('version', (field) => COMPLAINT.choice(field, ['1', '2']));
  }
  const strategy = body.choice('security_strategy', STRATEGIES);
  const secret = body.text('secret');
  const headers = body.objects('headers')?.map(readHeader);
  return {
    ...(name === undefined ? {} : { name }),
    ...(rule === undefined ? {} : { rule }),
    ...(version === undefined ? {} : { version }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(secret === undefined ? {} : { secret }),
    ...(headers === undefined ? {} : { headers: Object.fromEntries(headers) }),
  };
}

function readHeader(header: Fields): [string, string] {
  header.need('key', 'value');
  return [header.text('key') ?? '', header.text('value') ?? ''];
}

function readUrl(body: Fields): string | undefined {
  return body.matching(
    'url',
    KIND.url,
    (url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol),
  );
}

function render({ id, name, event, url, version, rule, headers }: Subscription) {
  return { id, name, event, type: 'manual', url, version, rule, headers };
}
