/** The API's own description: OpenAPI 3.1 at `/openapi.json`, and a page to read it at `/docs`. */
import swagger, { type SwaggerTransform, type SwaggerTransformObject } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { PROBLEMS, type ProblemName } from '../problem.js';
import { isOpen } from './auth.js';
import { PROBLEM_MEDIA_TYPE } from './problems.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Refusals of this route beyond those that every route has; for the reference only. */
    problems?: readonly ProblemName[];
    /** Documents a body that is validated elsewhere. */
    documentedBody?: z.ZodType;
  }
}

// What any route may answer, with a key and without.
const PROBLEMS_BEHIND_KEY: readonly ProblemName[] = ['unauthorized', 'internal', 'not-available'];
const PROBLEMS_IN_THE_OPEN: readonly ProblemName[] = ['internal'];
// What any request with a body may draw.
const PROBLEMS_WITH_BODY: readonly ProblemName[] = [
  'bad-request',
  'too-large',
  'unsupported-media-type',
  'invalid',
];

// Swagger UI is a script with inline styles, from this server alone.
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const OPTIONAL_BODY = 'x-optional-body';

const generator: Parameters<typeof createJsonSchemaTransform>[0] = {
  zodToJsonConfig: {
    override: ({ zodSchema, jsonSchema }) => {
      // Answers may gain fields, which is no break of the contract; only what we read refuses unknown ones.
      const { def } = zodSchema._zod;
      if (def.type === 'object' && def.catchall === undefined) delete jsonSchema.additionalProperties;
    },
  },
};
const generateRoute = createJsonSchemaTransform(generator);
const generateComponents = createJsonSchemaTransformObject(generator);

/** Describes every route registered after this, and serves the description. */
export async function registerDocs(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'packline',
        version,
        description:
          'Hands orders to fulfilment providers, each once. An order is named by its account and reference: sending ' +
          'the same one again answers the order that is there, so an Idempotency-Key header is not needed and ignored.',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: describeRoute,
    transformObject: tidy,
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: CONTENT_SECURITY_POLICY,
    theme: { title: 'packline API' },
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

const describeRoute: SwaggerTransform = ({ schema, url, route, ...document }) => {
  const { documentedBody, body } = configOf(route);
  const described = generateRoute({
    schema: { ...schema, ...bodyToDescribe(schema?.body, documentedBody, body) },
    url,
    route,
    ...document,
  });
  if (described.schema.hide === true) return described;
  return {
    url: described.url,
    schema: {
      ...described.schema,
      response: { ...responsesOf(described.schema), ...problemResponses(url, route) },
      ...(isOpen(url) ? { security: [] } : {}),
      ...(body === 'optional' ? { [OPTIONAL_BODY]: true } : {}),
    },
  };
};

function bodyToDescribe(validated: unknown, documented: z.ZodType | undefined, body: string | undefined) {
  if (documented !== undefined) return { body: documented };
  return body === 'none' || validated === undefined ? { body: undefined } : { body: validated };
}

const configOf = (route: RouteOptions) => route.config ?? {};
const responsesOf = ({ response }: { response?: unknown }) => (isObject(response) ? response : {});

function problemResponses(url: string, route: RouteOptions): Record<string, unknown> {
  const { body, problems = [] } = configOf(route);
  const names = [
    ...(isOpen(url) ? PROBLEMS_IN_THE_OPEN : PROBLEMS_BEHIND_KEY),
    ...(body === undefined ? [] : PROBLEMS_WITH_BODY),
    ...problems,
  ];
  const statuses = new Set(names.map((name) => PROBLEMS[name].status));
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      {
        description: names
          .filter((name) => PROBLEMS[name].status === status)
          .map((name) => `\`${name}\`: ${PROBLEMS[name].title}`)
          .join('. '),
        content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

/** Mends what the generator cannot say: bodies that may be left out, and schemas that nothing refers to. */
const tidy: SwaggerTransformObject = (generated) => {
  const document = withoutStrayReferences(generateComponents(generated));
  const paths = mapValues(document.paths, (path) => mapValues(path, withOptionalBody));
  const components = 'components' in document ? document.components : {};
  const schemas = isObject(components?.schemas) ? components.schemas : {};
  // The generator's types do not know that only paths and schemas change here, and both keep their shape.
  return {
    ...document,
    paths,
    components: { ...components, schemas: referred(paths, schemas) },
  } as typeof document;
};

/** zod puts recursive schemas where OpenAPI has no place. Here the only one is "any JSON", which is `{}`. */
function withoutStrayReferences<T>(document: T): T {
  return JSON.parse(JSON.stringify(document), (_key, value: unknown) => {
    const stray = isObject(value) && String(value.$ref).includes('/__shared#');
    return stray ? {} : value;
  });
}

function withOptionalBody(operation: unknown): unknown {
  if (!isObject(operation) || operation[OPTIONAL_BODY] !== true) return operation;
  const { [OPTIONAL_BODY]: _marker, requestBody, ...rest } = operation;
  return { ...rest, requestBody: { ...(isObject(requestBody) ? requestBody : {}), required: false } };
}

/** The schemas that are reached from `root` through references. */
function referred(root: unknown, schemas: Record<string, unknown>): Record<string, unknown> {
  const reached = new Set<string>();
  const open: unknown[] = [root];
  while (open.length > 0) {
    const text = JSON.stringify(open.pop());
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"/]+)/g)) {
      if (reached.has(name)) continue;
      reached.add(name);
      open.push(schemas[name] ?? null);
    }
  }
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => reached.has(name)));
}

function mapValues(value: unknown, change: (inner: unknown) => unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
