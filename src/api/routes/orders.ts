/** Orders: taking them, showing them, and asking for what may still be done. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Operator } from '../../operator.js';
import { orderBody } from '../../orders/body.js';
import type { Result } from '../../problem.js';
import type { OrderJson } from '../../views.js';
import { unwrap } from '../problems.js';
import {
  batchBody,
  batchResults,
  deliverableList,
  idParams,
  noBody,
  orderPage,
  orderQuery,
  orderSchema,
  otpBody,
  pageQuery,
  submitQuery,
  timelinePage,
  validity,
} from '../schemas.js';

// The contract's "Bodies ≤ 1 MiB, batch ≤ 16 MiB"; the first is the app's default.
const BATCH_LIMIT_BYTES = 16 * 1024 * 1024;

const TAGS = ['orders'];
const ASKED_FOR = 'Asked for; asked twice, it is the same operation';

/** What the intake takes for a change of shipment: a part of the order's body. */
const shipmentBody = orderBody.pick({ shippingMethod: true, shippingAddress: true });

/** Adds `/v1/orders` and everything below. */
export function orderRoutes(app: FastifyInstance, operator: Operator): void {
  intakeRoutes(app, operator);
  readingRoutes(app, operator);
  verbRoutes(app, operator);
}

function intakeRoutes(app: FastifyInstance, operator: Operator): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.post(
    '/v1/orders',
    {
      config: {
        body: 'required',
        documentedBody: orderBody,
        problems: ['reference-taken'],
      },
      schema: {
        operationId: 'submitOrder',
        summary: 'Take an order; the one that is there, if it was sent before',
        tags: TAGS,
        querystring: submitQuery,
        response: {
          200: orderSchema
            .or(validity)
            .describe('The order was there; or, with validateOnly, it would be taken'),
          201: orderSchema.describe('The order was stored'),
        },
      },
    },
    async (request, reply) => {
      const validateOnly = request.query.validateOnly === 'true';
      const { created, order } = unwrap(
        await operator.submit(request.body, { actor: request.actor, validateOnly }),
      );
      if (validateOnly) return reply.code(200).send({ valid: true });
      if (order === null) throw new Error('an order was taken, but none came back');
      if (!created) return reply.code(200).send(order);
      return reply.code(201).header('location', `/v1/orders/${order.id}`).send(order);
    },
  );

  routes.post(
    '/v1/orders/batch',
    {
      bodyLimit: BATCH_LIMIT_BYTES,
      config: { body: 'required' },
      schema: {
        operationId: 'submitOrders',
        summary: 'Take up to 500 orders, each for itself',
        tags: TAGS,
        body: batchBody,
        response: { 207: batchResults.describe('One result per order, in their order') },
      },
    },
    async (request, reply) => {
      const answers = await operator.submitMany(request.body.orders, request.actor);
      return reply.code(207).send({ results: answers.map(batchResult) });
    },
  );

  routes.put(
    '/v1/orders/:id',
    {
      config: {
        body: 'required',
        documentedBody: orderBody,
        problems: ['not-found', 'already-sent'],
      },
      schema: {
        operationId: 'correctOrder',
        summary: 'Correct an order that was not sent; its next generation',
        tags: TAGS,
        params: idParams,
        response: { 200: orderSchema.describe('The corrected order') },
      },
    },
    async (request) => unwrap(await operator.correct(request.params.id, request.body, request.actor)),
  );
}

function batchResult(
  answer: Result<{ created: boolean; order: OrderJson | null }>,
  index: number,
): z.output<typeof batchResults>['results'][number] {
  if (!answer.ok) return { index, status: answer.problem.status, problem: answer.problem };
  const { created, order } = answer.value;
  if (order === null) throw new Error('an order of a batch was taken, but none came back');
  return { index, status: created ? 201 : 200, order };
}

function readingRoutes(app: FastifyInstance, operator: Operator): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.get(
    '/v1/orders',
    {
      config: { problems: ['bad-request'] },
      schema: {
        operationId: 'listOrders',
        summary: 'List orders',
        tags: TAGS,
        querystring: orderQuery,
        response: { 200: orderPage.describe('A page of orders') },
      },
    },
    async (request) => unwrap(await operator.listOrders(request.query)),
  );

  routes.get(
    '/v1/orders/:id',
    {
      config: { problems: ['not-found'] },
      schema: {
        operationId: 'getOrder',
        summary: 'Show an order',
        tags: TAGS,
        params: idParams,
        response: { 200: orderSchema.describe('The order') },
      },
    },
    async (request) => unwrap(await operator.getOrder(request.params.id)),
  );

  routes.get(
    '/v1/orders/:id/deliverables',
    {
      config: { problems: ['not-found'] },
      schema: {
        operationId: 'revealDeliverables',
        summary: 'The codes that the provider handed out; each look is audited',
        tags: TAGS,
        params: idParams,
        response: { 200: deliverableList.describe('The codes, in the order of the items') },
      },
    },
    async (request) => unwrap(await operator.deliverables(request.params.id, request.actor)),
  );

  routes.post(
    '/v1/orders/:id/otp',
    {
      config: { body: 'required', problems: ['not-found', 'not-possible'] },
      schema: {
        operationId: 'supplyOtp',
        summary: 'Supply the one-time password that an order waits for, or ask for another',
        tags: TAGS,
        params: idParams,
        body: otpBody,
        response: { 202: orderSchema.describe('The order goes on') },
      },
    },
    async (request, reply) => {
      const { code } = request.body;
      const given = code === undefined ? { resend: true as const } : { code };
      const order = unwrap(await operator.supplyOtp(request.params.id, { ...given, actor: request.actor }));
      return reply.code(202).send(order);
    },
  );

  routes.get(
    '/v1/orders/:id/timeline',
    {
      config: { problems: ['bad-request', 'not-found'] },
      schema: {
        operationId: 'getTimeline',
        summary: 'Show what happened to an order',
        tags: TAGS,
        params: idParams,
        querystring: pageQuery,
        response: { 200: timelinePage.describe('A page of the timeline') },
      },
    },
    async (request) => unwrap(await operator.timeline(request.params.id, request.query)),
  );
}

function verbRoutes(app: FastifyInstance, operator: Operator): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  const askFor = (verb: string, operationId: string, summary: string, ask: Operator['cancel']) =>
    routes.post(
      `/v1/orders/:id/${verb}`,
      {
        config: { body: 'none', problems: ['not-found', 'not-possible'] },
        schema: {
          operationId,
          summary,
          tags: TAGS,
          params: idParams,
          body: noBody,
          response: { 202: orderSchema.describe(ASKED_FOR) },
        },
      },
      async (request, reply) => reply.code(202).send(unwrap(await ask(request.params.id, request.actor))),
    );
  askFor('activate', 'activateOrder', 'Release a draft for fulfilment', (id, actor) =>
    operator.activate(id, actor),
  );
  askFor('cancel', 'cancelOrder', 'Cancel an order', (id, actor) => operator.cancel(id, actor));
  askFor('sync', 'syncOrder', 'Read an order’s status at its provider now', (id, actor) =>
    operator.syncOrder(id, actor),
  );

  routes.post(
    '/v1/orders/:id/shipment',
    {
      config: {
        body: 'required',
        documentedBody: shipmentBody,
        problems: ['not-found', 'not-possible'],
      },
      schema: {
        operationId: 'updateShipment',
        summary: 'Change an order’s shipping method or address',
        tags: TAGS,
        params: idParams,
        response: { 202: orderSchema.describe(ASKED_FOR) },
      },
    },
    async (request, reply) =>
      reply
        .code(202)
        .send(unwrap(await operator.updateShipment(request.params.id, request.body, request.actor))),
  );
}
