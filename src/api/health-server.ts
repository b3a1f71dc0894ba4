/** The small server of a process that is no API: whether it lives and may be relied on. */
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { registerProblems } from './problems.js';
import { type HealthSource, healthRoutes } from './routes/health.js';

export async function createHealth({
  log,
  ...source
}: HealthSource & { log: Logger }): Promise<FastifyInstance> {
  const quiet: FastifyBaseLogger = log.child({}, { level: 'warn' });
  const app = Fastify({ loggerInstance: quiet, forceCloseConnections: 'idle' });
  registerProblems(app);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  healthRoutes(app, source);
  await app.ready();
  return app;
}
