/** Where webhooks go, and the orders that partners send in. */
import { createHash } from 'node:crypto';
import type { Answer, Call, Route } from '../kit.js';
import { ksuid } from './ids.js';
import { INBOUND } from './keys.js';
import type { FieldError } from './problems.js';
import type { Webhooks } from './webhooks.js';
import { WEBHOOK_EVENTS } from './wire.js';
import { fieldOf, type World } from './world.js';

export function webhookRoutes(world: World, webhooks: Webhooks): Route[] {
  const received = new Map<string, string>();
  const path = '/integrations/webhooks/';
  return [
    {
      verb: 'webhook-config',
      method: 'GET',
      path,
      references: () => [],
      handle: () => render(webhooks),
    },
    {
      verb: 'webhook-update',
      method: 'PUT',
      path,
      references: () => [],
      handle: (call) => update(world, call, webhooks),
    },
    {
      verb: 'webhook-test',
      method: 'POST',
      path: `${path}test/`,
      references: () => [],
      handle: () => test(world, webhooks),
    },
    {
      verb: INBOUND,
      method: 'POST',
      path: '/webhooks/integrations/:partner/',
      references: ({ params: { partner = '' } }) => [partner],
      handle: (call) => receive(world, call, received),
    },
  ];
}

/** Bare, as the guide shows it, whatever the envelope of the others. The secret shows its end only. */
function render({ config }: Webhooks): Answer {
  return {
    status: 200,
    body: {
      webhook_url: config.url ?? null,
      webhook_events: config.events,
      webhook_secret: `****${config.secret.slice(-4)}`,
      available_events: WEBHOOK_EVENTS,
    },
  };
}

/** What is not named stays; an empty URL switches webhooks off. Bad input is a 400 here. */
function update(world: World, call: Call, webhooks: Webhooks): Answer {
  const url = fieldOf(call.body, 'webhook_url');
  const events = fieldOf(call.body, 'webhook_events');
  const errors: FieldError[] = [];
  if (url !== undefined && url !== null && url !== '' && !isHttpUrl(url))
    errors.push({ field: 'webhook_url', detail: 'Informe uma URL válida.' });
  if (events !== undefined && !isEventList(events))
    errors.push({ field: 'webhook_events', detail: 'Evento desconhecido.' });
  if (errors.length > 0) return world.problems.badRequest(errors);
  const { config } = webhooks;
  webhooks.config = {
    ...config,
    url: url === undefined ? config.url : isHttpUrl(url) ? url : undefined,
    events: isEventList(events) ? events : config.events,
  };
  return render(webhooks);
}

async function test(world: World, webhooks: Webhooks): Promise<Answer> {
  const attempt = await webhooks.test();
  if (attempt === undefined)
    return world.problems.badRequest([{ field: 'webhook_url', detail: 'Nenhuma URL configurada.' }]);
  const { status, error } = attempt;
  const success = status !== null && status >= 200 && status < 300;
  return { status: 200, body: { success, status_code: status, error } };
}

/** Orders are taken and told apart by their content, and nothing more becomes of them here. */
function receive(world: World, call: Call, received: Map<string, string>): Answer {
  const hash = createHash('sha256')
    .update(JSON.stringify(call.body) ?? '')
    .digest('hex');
  const known = received.get(hash);
  const id = known ?? ksuid(world.time.clock.now());
  received.set(hash, id);
  return world.shape.one({ status: known === undefined ? 'received' : 'duplicate', id });
}

function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function isEventList(value: unknown): value is readonly string[] {
  const known: readonly unknown[] = WEBHOOK_EVENTS;
  return Array.isArray(value) && value.every((event) => known.includes(event));
}
