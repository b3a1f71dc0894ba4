/** For whoever runs the process: does it live, may it get work, and what does it count. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { health, readiness } from '../schemas.js';

/** What the process says about itself. */
export interface HealthSource {
  /** Ready when migrations and accounts are in place and this role runs; else the reasons, for a person. */
  readiness(): Promise<{ ready: boolean; reasons: string[] }>;
  /** The metrics in Prometheus' text format. */
  metrics(): Promise<string>;
}

const TAGS = ['process'];
// Prometheus documentation, "Exposition formats", text-based format.
const METRICS_MEDIA_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Adds `/healthz`, `/readyz` and `/metrics`. */
export function healthRoutes(app: FastifyInstance, source: HealthSource): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.get(
    '/healthz',
    {
      schema: {
        operationId: 'getHealth',
        summary: 'Whether the process lives',
        tags: TAGS,
        response: { 200: health.describe('It does') },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  routes.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        summary: 'Whether the process may get work',
        tags: TAGS,
        response: {
          200: readiness.describe('It may'),
          503: readiness.describe('Not yet, for these reasons'),
        },
      },
    },
    async (_request, reply) => {
      const { ready, reasons } = await source.readiness();
      return ready
        ? reply.code(200).send({ status: 'ready', reasons })
        : reply.code(503).send({ status: 'not-ready', reasons });
    },
  );

  routes.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        summary: 'Counts and durations, for Prometheus',
        tags: TAGS,
        response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (_request, reply) => reply.type(METRICS_MEDIA_TYPE).send(await source.metrics()),
  );
}
