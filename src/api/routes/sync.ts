/** Reading the status of all open orders, now. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Operator } from '../../operator.js';
import { unwrap } from '../problems.js';
import { syncBody, syncSchema } from '../schemas.js';

/** Adds `/v1/sync`. */
export function syncRoutes(app: FastifyInstance, operator: Operator): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/v1/sync',
    {
      config: { body: 'optional' },
      schema: {
        operationId: 'sync',
        summary: 'Look at every open order, due or not; overlapping calls share the work',
        tags: ['orders'],
        body: syncBody,
        response: { 202: syncSchema.describe('What was asked for, per account') },
      },
    },
    async (request, reply) => reply.code(202).send(unwrap(await operator.sync(request.body, request.actor))),
  );
}
