/** The small server of a process that is no API: whether it lives and may be relied on. */
import type { FastifyInstance } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { registerProblems } from './problems.js';
import { type HealthSource, healthRoutes } from './routes/health.js';
import { bareServer, registerHabits } from './server.js';
import { validatorCompiler } from './validation.js';

export async function createHealth({
  log,
  ...source
}: HealthSource & { log: Logger }): Promise<FastifyInstance> {
  const app = bareServer(log);
  registerProblems(app);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  registerHabits(app);
  healthRoutes(app, source);
  await app.ready();
  return app;
}
