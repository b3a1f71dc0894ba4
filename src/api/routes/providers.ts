/** What is done about each error of a provider, and where its documents say so. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Operator } from '../../operator.js';
import { unwrap } from '../problems.js';
import { providerParams, providerPolicy } from '../schemas.js';

/** Adds `/v1/providers/:provider/policy`. */
export function providerRoutes(app: FastifyInstance, operator: Operator): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/v1/providers/:provider/policy',
    {
      config: { problems: ['not-found'] },
      schema: {
        operationId: 'explainProvider',
        summary: 'Show a provider’s error handling with its sources',
        tags: ['providers'],
        params: providerParams,
        response: { 200: providerPolicy.describe('The policy table') },
      },
    },
    async (request) => unwrap(operator.explainProvider(request.params.provider)),
  );
}
