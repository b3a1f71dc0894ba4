/** The operations on webhooks, and the lists that an order is put together from (Wasal document, "Endpoints"). */
import type { Answer, Call, Route } from '../kit.js';
import type { RegisteredWebhook } from './announcer.js';
import { created, ok, refuse } from './answers.js';
import { AREAS, ZONES } from './areas.js';
import { byMerchant, type House, PREFIX } from './house.js';
import { type Merchant, registerWebhook } from './merchant.js';
import { renderArea, renderBranch, renderWebhook, renderZone } from './render.js';
import { checkWebhook } from './validate.js';

const NO_REFERENCES = (): readonly string[] => [];

export function otherRoutes(house: House): Route[] {
  const references = (call: Call) => (call.params.id === undefined ? [] : [call.params.id]);
  const ofWebhook = (handle: (merchant: Merchant, webhook: RegisteredWebhook) => Answer) =>
    byMerchant(house, (merchant, call) => {
      const webhook = merchant.announcer.find(call.params.id ?? '');
      return webhook === undefined ? refuse('WEBHOOK_NOT_FOUND') : handle(merchant, webhook);
    });
  return [
    {
      verb: 'webhook-create',
      method: 'POST',
      path: `${PREFIX}/webhook`,
      references,
      handle: byMerchant(house, (merchant, call) => register(house, merchant, call)),
    },
    {
      verb: 'webhook-list',
      method: 'GET',
      path: `${PREFIX}/webhook`,
      references,
      handle: byMerchant(house, ({ announcer }) => ok({ list: announcer.all().map(renderWebhook) })),
    },
    {
      verb: 'webhook-test',
      method: 'POST',
      path: `${PREFIX}/webhook/:id/test`,
      references,
      handle: ofWebhook(({ announcer }, webhook) => {
        announcer.test(webhook);
        return ok({ webhook: renderWebhook(webhook) });
      }),
    },
    {
      // That there is such an operation is implied by WEBHOOK_NOT_FOUND only.
      verb: 'webhook-delete',
      method: 'DELETE',
      path: `${PREFIX}/webhook/:id`,
      references,
      handle: ofWebhook(({ announcer }, webhook) => {
        announcer.remove(webhook);
        return ok({});
      }),
    },
    {
      verb: 'areas',
      method: 'GET',
      path: `${PREFIX}/governorate-area`,
      isPublic: true,
      references: NO_REFERENCES,
      handle: areas,
    },
    {
      verb: 'pricing',
      method: 'GET',
      path: `${PREFIX}/pricing`,
      references: NO_REFERENCES,
      handle: byMerchant(house, () => ok({ list: ZONES.map(renderZone) })),
    },
    {
      verb: 'branches',
      method: 'GET',
      path: `${PREFIX}/branch`,
      references: NO_REFERENCES,
      handle: byMerchant(house, ({ branches }) => ok({ list: branches.map(renderBranch) })),
    },
  ];
}

function register(house: House, merchant: Merchant, call: Call): Answer {
  const checked = checkWebhook(call.body, house.allowHttpWebhooks);
  if (!checked.ok) return checked.refusal;
  const webhook = registerWebhook(merchant, checked.value);
  return created({ webhook: { ...renderWebhook(webhook), secret: webhook.secret } });
}

function areas({ query }: Call): Answer {
  const { featureType, governorateId, neighborhoodId } = query;
  const found = AREAS.filter(
    (area) =>
      (featureType === undefined || area.featureType === featureType) &&
      (governorateId === undefined || area.governorateId === governorateId) &&
      (neighborhoodId === undefined || area.neighborhoodId === neighborhoodId),
  );
  return ok({ list: found.map(renderArea) });
}
