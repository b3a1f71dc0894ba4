/** Bull Board at `/queues`: a window on the queues, never a handle. */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { httpProblem, ProblemError } from './problems.js';

/** The queues to show, which may come and go with the accounts. */
export interface BoardSource {
  queues(): readonly Queue[];
  /** Calls back whenever `queues()` would answer otherwise than before. */
  onChange(callback: () => void): void;
}

const PREFIX = '/queues';

// Bull Board is a script with styles of its own making, from this server alone; its web font stays unloaded.
const CONTENT_SECURITY_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'self'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/** Adds the board, behind whatever guards the app's routes. */
export function registerBoard(app: FastifyInstance, source: BoardSource): void {
  app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      reply.helmet({ contentSecurityPolicy: CONTENT_SECURITY_POLICY });
      if (request.method === 'GET' || request.method === 'HEAD') return;
      // Bull Board answers 200 to some calls that it then leaves out for queues in read-only mode.
      throw new ProblemError(
        httpProblem(405, 'The board only shows. Act through the API or the command line.'),
        {
          allow: 'GET, HEAD',
        },
      );
    });
    await scope.register(boardPlugin(source), { prefix: PREFIX });
  });
}

function boardPlugin(source: BoardSource) {
  const serverAdapter = new FastifyAdapter().setBasePath(PREFIX);
  const adapters = () => source.queues().map((queue) => new BullMQAdapter(queue, { readOnlyMode: true }));
  const board = createBullBoard({
    queues: adapters(),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'packline',
        miscLinks: [
          { text: 'API reference', url: '/docs' },
          { text: 'Log out', url: '/login' },
        ],
      },
    },
  });
  source.onChange(() => board.replaceQueues(adapters()));
  // Bull Board would tell the caller the error's own message; thrown on, it reaches the app's handler.
  serverAdapter.setErrorHandler((error) => {
    throw error;
  });
  return serverAdapter.registerPlugin();
}
