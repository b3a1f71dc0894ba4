/** The small server of a process that is no API: whether it lives and may be relied on, and what it counts. */
import type { FastifyInstance } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { Meter } from '../metrics/meter.js';
import { digestOf, registerKey } from './auth.js';
import { registerProblems } from './problems.js';
import { type HealthSource, healthRoutes } from './routes/health.js';
import { bareServer, registerHabits } from './server.js';
import { validatorCompiler } from './validation.js';

/** What the small server stands on. */
export interface HealthDeps extends HealthSource {
  /** What opens `/metrics`. */
  key: string;
  log: Logger;
  /** Counts requests. */
  meter?: Pick<Meter, 'requested'>;
}

/** Builds the small server, ready to `listen` or `inject`. */
export async function createHealth(deps: HealthDeps): Promise<FastifyInstance> {
  const app = bareServer(deps.log);
  registerProblems(app);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  registerKey(app, digestOf(deps.key));
  registerHabits(app, deps.meter);
  healthRoutes(app, deps);
  await app.ready();
  return app;
}
