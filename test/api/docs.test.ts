import { problem } from '../../src/problem.js';
import { type TestApi, testApi } from './harness.js';
import { openApiOf, operationsOf, record } from './openapi.js';

let api: TestApi;
let document: Record<string, unknown>;

beforeAll(async () => {
  api = await testApi();
  document = await openApiOf(api);
});

/** All values of `$ref`, wherever they stand. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' ? [String(inner)] : references(inner),
  );
}

test('the document says what it is', () => {
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'packline', version: '1.2.3' } });
  expect(record(document.components).securitySchemes).toEqual({ bearer: { type: 'http', scheme: 'bearer' } });
  expect(document.security).toEqual([{ bearer: [] }]);
});

test('it lists exactly the calls of the contract', () => {
  const calls = operationsOf(document).map(({ method, pattern }) => `${method} ${pattern}`);
  expect(calls.sort()).toEqual([
    'GET /healthz',
    'GET /metrics',
    'GET /readyz',
    'GET /v1/accounts',
    'GET /v1/accounts/{id}',
    'GET /v1/dead-letters',
    'GET /v1/dead-letters/{id}',
    'GET /v1/orders',
    'GET /v1/orders/{id}',
    'GET /v1/orders/{id}/deliverables',
    'GET /v1/orders/{id}/timeline',
    'GET /v1/providers/{provider}/policy',
    'POST /v1/accounts/{id}/pause',
    'POST /v1/accounts/{id}/resume',
    'POST /v1/dead-letters/replay',
    'POST /v1/dead-letters/{id}/adopt',
    'POST /v1/dead-letters/{id}/discard',
    'POST /v1/dead-letters/{id}/replay',
    'POST /v1/orders',
    'POST /v1/orders/batch',
    'POST /v1/orders/{id}/activate',
    'POST /v1/orders/{id}/cancel',
    'POST /v1/orders/{id}/otp',
    'POST /v1/orders/{id}/shipment',
    'POST /v1/orders/{id}/sync',
    'POST /v1/sync',
    'PUT /v1/orders/{id}',
  ]);
});

test('every call has an id of its own, a summary, a tag, and described answers with content', () => {
  const ids = operationsOf(document).map(({ doc }) => {
    expect(doc).toMatchObject({
      operationId: expect.stringMatching(/^[a-z]\w+$/),
      summary: expect.stringMatching(/\S/),
    });
    expect(doc.tags).toHaveLength(1);
    for (const [status, response] of Object.entries(record(doc.responses))) {
      expect(status).toMatch(/^[2-5]\d\d$/);
      expect(response).toMatchObject({
        description: expect.stringMatching(/\S/),
        content: expect.anything(),
      });
    }
    return doc.operationId;
  });
  expect(new Set(ids).size).toBe(ids.length);
});

test('every refusal is documented as a problem', () => {
  for (const { doc, open } of operationsOf(document)) {
    const responses = record(doc.responses);
    if (!open) expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '500', '503']));
    for (const [status, response] of Object.entries(responses)) {
      const isReadiness = doc.operationId === 'getReadiness' && status === '503';
      if (status < '400' || isReadiness) continue;
      expect(response).toHaveProperty('content', {
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
      });
    }
  }
});

test('every path parameter is declared', () => {
  for (const { pattern, doc } of operationsOf(document)) {
    const named = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = Array.isArray(doc.parameters) ? doc.parameters.map(record) : [];
    expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(named);
  }
});

test('every reference leads somewhere, and no schema stands alone', () => {
  const schemas = Object.keys(record(record(document.components).schemas));
  const referred = new Set(references(document));
  expect([...referred].sort()).toEqual(schemas.map((name) => `#/components/schemas/${name}`).sort());
});

test('the order’s body is documented as the shop writes it', () => {
  const submit = record(record(document.paths)['/v1/orders']).post;
  expect(submit).toHaveProperty('requestBody', {
    required: true,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/OrderBodyInput' } } },
  });
  const body = record(record(record(document.components).schemas).OrderBodyInput);
  expect(body).toMatchObject({ required: ['account', 'reference'], additionalProperties: false });
  expect(record(body.properties).totals).toHaveProperty('properties.total.type', ['string', 'number']);
});

test('a body that may be left out is not required, and a call without one has none', () => {
  const byId = new Map(operationsOf(document).map(({ doc }) => [doc.operationId, doc]));
  expect(byId.get('replayDeadLetter')).toHaveProperty('requestBody.required', false);
  expect(byId.get('sync')).toHaveProperty('requestBody.required', false);
  expect(byId.get('pauseAccount')).toHaveProperty('requestBody.required', true);
  expect(byId.get('cancelOrder')).not.toHaveProperty('requestBody');
});

test('answers may gain fields, and our own problems fit the schema', () => {
  const schema = record(record(record(document.components).schemas).Problem);
  expect(schema).not.toHaveProperty('additionalProperties');
  const full = problem('invalid', 'x', [{ pointer: '/a', code: 'b', detail: 'c' }]);
  expect(Object.keys(record(schema.properties))).toEqual(Object.keys(full));
});

test('the reference page is served without a key, with scripts from here alone', async () => {
  for (const path of ['/docs', '/docs/', '/docs/static/swagger-ui-bundle.js', '/docs/json']) {
    const answer = await api.ask('GET', path);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
  }
});
