/** Dead letters: operations that need a human's decision. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Operator } from '../../operator.js';
import { unwrap } from '../problems.js';
import {
  adoptBody,
  deadLetterPage,
  deadLetterQuery,
  deadLetterSchema,
  discardBody,
  idParams,
  replayBody,
  replayManyBody,
  replayManySchema,
} from '../schemas.js';

const TAGS = ['dead letters'];

/** Adds `/v1/dead-letters` and everything below. */
export function deadLetterRoutes(app: FastifyInstance, operator: Operator): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.get(
    '/v1/dead-letters',
    {
      config: { problems: ['bad-request'] },
      schema: {
        operationId: 'listDeadLetters',
        summary: 'List dead letters, the open ones unless asked otherwise',
        tags: TAGS,
        querystring: deadLetterQuery,
        response: { 200: deadLetterPage.describe('A page of dead letters') },
      },
    },
    async (request) => unwrap(await operator.listDeadLetters(request.query)),
  );

  routes.get(
    '/v1/dead-letters/:id',
    {
      config: { problems: ['not-found'] },
      schema: {
        operationId: 'getDeadLetter',
        summary: 'Show a dead letter with its evidence',
        tags: TAGS,
        params: idParams,
        response: { 200: deadLetterSchema.describe('The dead letter') },
      },
    },
    async (request) => unwrap(await operator.getDeadLetter(request.params.id)),
  );

  routes.post(
    '/v1/dead-letters/replay',
    {
      config: { body: 'required' },
      schema: {
        operationId: 'replayDeadLetters',
        summary: 'Replay the open dead letters that a filter names',
        tags: TAGS,
        body: replayManyBody,
        response: { 202: replayManySchema.describe('What the filter matched, and what became of it') },
      },
    },
    async (request, reply) =>
      reply.code(202).send(unwrap(await operator.replayMany(request.body, request.actor))),
  );

  decisionRoutes(app, operator);
}

function decisionRoutes(app: FastifyInstance, operator: Operator): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.post(
    '/v1/dead-letters/:id/replay',
    {
      config: { body: 'optional', problems: ['forbidden', 'not-found', 'not-possible', 'already-decided'] },
      schema: {
        operationId: 'replayDeadLetter',
        summary: 'Try again; an ambiguous one is looked up first',
        tags: TAGS,
        params: idParams,
        body: replayBody,
        response: { 202: deadLetterSchema.describe('The dead letter, replayed') },
      },
    },
    async (request, reply) => {
      const options = { ...request.body, actor: request.actor };
      return reply.code(202).send(unwrap(await operator.replay(request.params.id, options)));
    },
  );

  routes.post(
    '/v1/dead-letters/:id/adopt',
    {
      config: { body: 'required', problems: ['not-found', 'not-possible', 'already-decided', 'id-taken'] },
      schema: {
        operationId: 'adoptOrder',
        summary: 'Say which of the provider’s orders it is; the provider is asked',
        tags: TAGS,
        params: idParams,
        body: adoptBody,
        response: { 200: deadLetterSchema.describe('The dead letter, adopted') },
      },
    },
    async (request) =>
      unwrap(await operator.adopt(request.params.id, { ...request.body, actor: request.actor })),
  );

  routes.post(
    '/v1/dead-letters/:id/discard',
    {
      config: { body: 'required', problems: ['not-found', 'not-possible', 'already-decided'] },
      schema: {
        operationId: 'discardDeadLetter',
        summary: 'Give it up; the order of a submit becomes failed',
        tags: TAGS,
        params: idParams,
        body: discardBody,
        response: { 200: deadLetterSchema.describe('The dead letter, discarded') },
      },
    },
    async (request) =>
      unwrap(await operator.discard(request.params.id, { ...request.body, actor: request.actor })),
  );
}
