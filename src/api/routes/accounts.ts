/** Accounts: how they stand, and stopping and starting them. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Operator } from '../../operator.js';
import { unwrap } from '../problems.js';
import { accountList, accountSchema, idParams, noBody, pauseBody } from '../schemas.js';

const TAGS = ['accounts'];

/** Adds `/v1/accounts` and everything below. */
export function accountRoutes(app: FastifyInstance, operator: Operator): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.get(
    '/v1/accounts',
    {
      schema: {
        operationId: 'listAccounts',
        summary: 'List accounts with their gates and queues',
        tags: TAGS,
        response: { 200: accountList.describe('All accounts') },
      },
    },
    async () => operator.listAccounts(),
  );

  routes.get(
    '/v1/accounts/:id',
    {
      config: { problems: ['not-found'] },
      schema: {
        operationId: 'getAccount',
        summary: 'Show an account',
        tags: TAGS,
        params: idParams,
        response: { 200: accountSchema.describe('The account') },
      },
    },
    async (request) => unwrap(await operator.getAccount(request.params.id)),
  );

  routes.post(
    '/v1/accounts/:id/pause',
    {
      config: { body: 'required', problems: ['not-found'] },
      schema: {
        operationId: 'pauseAccount',
        summary: 'Stop calling the provider for this account',
        tags: TAGS,
        params: idParams,
        body: pauseBody,
        response: { 200: accountSchema.describe('The account, paused') },
      },
    },
    async (request) =>
      unwrap(await operator.pauseAccount(request.params.id, { ...request.body, actor: request.actor })),
  );

  routes.post(
    '/v1/accounts/:id/resume',
    {
      config: { body: 'none', problems: ['not-found'] },
      schema: {
        operationId: 'resumeAccount',
        summary:
          'Call the provider for this account again; what waits for funds, stock or a window tries at once',
        tags: TAGS,
        params: idParams,
        body: noBody,
        response: { 200: accountSchema.describe('The account, active') },
      },
    },
    async (request) => unwrap(await operator.resumeAccount(request.params.id, request.actor)),
  );
}
