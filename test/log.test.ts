import fc from 'fast-check';
import pg from 'pg';
import { createLog } from '../src/log.js';
import { scrub } from '../src/redact/scrub.js';
import { excerpt, redact } from '../src/redact.js';

/** Everything a value says, as one string. */
const said = (value: unknown) => JSON.stringify(redact(value));

/** A log whose lines are kept. */
function keptLog() {
  const lines: string[] = [];
  const log = createLog('trace', { write: (line: string) => void lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
}

// What people put between the digits of a phone number; bare digits may also be an order's id.
const phone = fc
  .tuple(
    fc.constantFrom('+', '+4', '(0', '+ '),
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 8, maxLength: 14 }),
    fc.constantFrom('', ' ', '-', '.', ') ', ' - '),
  )
  .map(([start, digits, parted]) => `${start}${digits.join('').replace(/(.{2})(?=.)/g, `$1${parted}`)}`);
const bearer = fc
  .stringMatching(/^[A-Za-z0-9._~+/-]{8,60}$/)
  .map((token) => ({ text: `Bearer ${token}`, hidden: token }));
const email = fc.emailAddress({ size: 'small' }).map((text) => ({ text, hidden: text }));
const planted = fc.oneof(
  email,
  phone.map((text) => ({ text, hidden: text })),
  bearer,
  fc
    .stringMatching(/^[A-Za-z0-9!$_.~-]{6,30}$/)
    .map((secret) => ({ text: `postgres://packline:${secret}@db.internal:5432/packline`, hidden: secret })),
  fc
    .stringMatching(/^[A-Za-z0-9!$_.~-]{6,30}$/)
    .map((secret) => ({ text: `redis://:${secret}@cache:6379`, hidden: secret })),
  fc.stringMatching(/^[a-z]{10,30}$/).map((secret) => ({ text: `api_key=${secret}`, hidden: secret })),
);

// Words without digits, so that a plant is found again only where it was planted.
const word = fc.stringMatching(/^[a-z]{0,5}$/);
const fieldName = fc.oneof(
  word,
  fc.constantFrom('id', 'reference', 'message', 'orderId', 'status', 'host', 'items', 'error'),
);

/** Any JSON with one plant somewhere in it: as a value, inside a sentence, in nested JSON text, as a name. */
function anywhere(text: string): fc.Arbitrary<unknown> {
  const leaf = fc.oneof(
    fc.constant(text),
    fc.tuple(word, word).map(([before, after]) => `${before} ${text} ${after}`),
    fc.constant(JSON.stringify({ deep: [text] })),
    fc.constant(`broken: {"deep": "${text}`),
    fc.constant({ [text]: 1 }),
    fc.constant(new Error(`no luck with ${text}`)),
    fc.constant(new Map([['key', text]])),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc
        .tuple(fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 2 }), tie('tree'))
        .map(([rest, tree]) => [...rest, tree]),
      fc.tuple(fieldName, tie('tree')).map(([name, tree]) => ({ before: true, [name]: tree })),
    ),
  }));
  return tree;
}

const plantedAnywhere = planted.chain(({ text, hidden }) =>
  fc.record({ hidden: fc.constant(hidden), value: anywhere(text) }),
);

describe('redact', () => {
  test('an e-mail address, a phone number or a secret comes out of no place of any object', () => {
    fc.assert(
      fc.property(plantedAnywhere, ({ hidden, value }) => {
        expect(said(value)).not.toContain(hidden);
      }),
      { numRuns: 1_000 },
    );
  });

  test('any value at all gives JSON and throws nothing', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
          withObjectString: true,
        }),
        (value) => {
          const text = said(value);
          expect(JSON.stringify(JSON.parse(text))).toBe(text);
        },
      ),
    );
  });

  test.each([
    ['email', 'ola@example.com'],
    ['customerEmail', 'x'],
    ['phone', '22222222'],
    ['agent_phone', 'x'],
    ['firstName', 'Ola'],
    ['last-name', 'Nordmann'],
    ['line1', 'Storgata 1'],
    ['addressLine2', 'x'],
    ['city', 'Oslo'],
    ['postCode', '0150'],
    ['companyName', 'Kiosk'],
    ['taxId', 'NO1'],
    ['federalTaxId', 'x'],
    ['apiKey', 'k'],
    ['apiSecret', 's'],
    ['refresh_token', 't'],
    ['Authorization', 'anything'],
    ['x-api-key', 'a:b'],
    ['X-API-KEY', 'a:b'],
    ['password', 'p'],
    ['credentials', { user: 'u', pass: 'p' }],
    ['codes', ['AAAA-BBBB']],
    ['serialCode', 'AAAA'],
    ['notes', 'the key is under the mat'],
    ['customer.firstName', 'Ola'],
  ])('%s is masked at any depth', (name, value) => {
    expect(redact({ a: [{ [name]: value }] })).toEqual({ a: [{ [name]: '[redacted]' }] });
  });

  test('a record of a person keeps ids and countries only', () => {
    const order = {
      customer: { id: 'c-17', name: 'Ola Nordmann', nick: 'ola', age: 41 },
      shippingAddress: { attention: 'Kari', country: 'NO', countryCode: 'NO', lines: ['Storgata 1'] },
    };
    expect(redact(order)).toEqual({
      customer: { id: 'c-17', name: '[redacted]', nick: '[redacted]', age: '[redacted]' },
      shippingAddress: { attention: '[redacted]', country: 'NO', countryCode: 'NO', lines: ['[redacted]'] },
    });
  });

  test('a name beside a phone number or an e-mail address is a person, under whatever it stands', () => {
    const sent = {
      request: { body: { name: 'نورة الصباح', phoneNumber: '+96550001234', customerId: 'c-1' } },
    };
    expect(redact(sent)).toEqual({
      request: { body: { name: '[redacted]', phoneNumber: '[redacted]', customerId: 'c-1' } },
    });
    expect(redact({ name: 'Mug', sku: 'mug', qty: 2 })).toEqual({ name: 'Mug', sku: 'mug', qty: 2 });
  });

  test('ids, references, codes, states, counts, times and hosts stay readable', () => {
    const line = {
      event: 'order.attempted',
      orderId: '0197a1de-1111-7222-8333-123456789012',
      reference: '1000123456789',
      operationId: '12345678901',
      providerOrderId: 'A00000000000123',
      status: 'in_progress',
      kind: 'submit',
      code: 'http_500',
      durationMs: 1234.5,
      attempts: 3,
      startedAt: '2026-11-20T13:37:00.123456Z',
      day: '2026-11-20',
      host: 'api.gelato.example:8443',
      address: '127.0.0.1',
      mode: 'live',
      ok: true,
      nothing: null,
    };
    expect(redact(line)).toEqual(line);
  });

  test('ids and times inside sentences stay readable', () => {
    const sentence =
      'order 0197a1de-1111-7222-8333-123456789012 of gelato-eu: 3 of 6 attempts at 2026-11-20T13:37:00Z against 192.168.100.200:8080';
    expect(scrub(sentence)).toBe(sentence);
  });

  test.each([
    ['mail ola.nordmann+kiosk@example.co.uk now', 'mail [email] now'],
    ['see ?email=ola%40example.com&page=2', 'see ?email=[redacted]&page=2'],
    ['call +47 22 22 22 22', 'call [digits]'],
    ['call (555) 010-9988 today', 'call [digits] today'],
    ['call ٠٥٥١٢٣٤٥٦٧', 'call [digits]'],
    ['Authorization: Bearer abc.def', 'Authorization: [redacted]'],
    ['got "Bearer abc" back', 'got "Bearer [secret]" back'],
    ['at postgresql://packline:p@ss/word@db:5432/x', 'at postgresql://[secret]@db:5432/x'],
    ['at redis://:hunter2@cache:6379', 'at redis://[secret]@cache:6379'],
    ['at https://user:pw@example.com/x', 'at https://[secret]@example.com/x'],
    ['hooks.slack.com/services/T0/B0/xyz failed', 'hooks.slack.com/services/[secret] failed'],
    ['key zupy_pk_abcdef123456 refused', 'key [secret] refused'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc expired', '[secret] expired'],
    ['Invalid key Zm9vYmFyYmF6cXV4MTIzNDU2', 'Invalid key [secret]'],
    ['{\\"firstName\\": \\"Ola Nordmann\\", \\"id\\": 1', '{\\"firstName\\": [redacted], \\"id\\": 1'],
    ['city: New York, code: 7', 'city: [redacted], code: 7'],
    ['null value. Failing row contains (1, Ola, Storgata 1).', 'null value. Failing row contains [redacted]'],
  ])('of "%s" remains "%s"', (text, expected) => {
    expect(scrub(text)).toBe(expected);
    // An error's text is scrubbed as it is read and again as its line is written.
    expect(scrub(expected)).toBe(expected);
  });

  test('a long text is cut where nothing is torn apart', () => {
    const text = `${'word '.repeat(1_637)}ola@example.com and more`;
    expect(text.indexOf('@')).toBeLessThan(8_192);
    expect(text.indexOf('example.com')).toBeGreaterThan(8_180);
    expect(scrub(text)).toMatch(/word \[\d+ more characters\]$/);
  });

  test('hostile texts take no longer than their length allows', () => {
    const started = performance.now();
    for (const text of [
      'a'.repeat(1e6),
      '@'.repeat(1e6),
      '1 '.repeat(5e5),
      'a:'.repeat(5e5),
      '"'.repeat(1e6),
      '\\'.repeat(1e6),
      'postgres://'.repeat(1e5),
    ]) {
      scrub(text);
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('circles, depth, length and class instances are cut', () => {
    class Client {
      password = 'hunter2';
    }
    const circle: Record<string, unknown> = {
      client: new Client(),
      many: Array.from({ length: 300 }, () => 0),
    };
    circle.self = circle;
    const clean = redact(circle) as Record<string, unknown>;
    expect(clean).toMatchObject({ client: '[Client]', self: '[circular]' });
    expect(clean.many).toHaveLength(201);
    let deep: unknown = 'bottom';
    for (let n = 0; n < 50; n += 1) deep = { deep };
    expect(said(deep)).toContain('[deeper]');
  });

  test('a getter that throws is told as such', () => {
    const trap = {
      get boom() {
        throw new Error('ola@example.com');
      },
    };
    expect(redact({ trap })).toEqual({ trap: '[unreadable]' });
  });

  test('an error keeps its type, code and cause, not what it was given', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), {
      code: 'ECONNREFUSED',
      address: '127.0.0.1',
    });
    const error = Object.assign(new Error('insert failed for ola@example.com', { cause }), {
      code: '23502',
      detail: 'Failing row contains (Ola)',
      command: { name: 'auth', args: ['hunter2'] },
      client: new pg.Client({ password: 'hunter2' }),
    });
    const clean = redact(error);
    expect(clean).toMatchObject({
      type: 'Error',
      message: 'insert failed for [email]',
      code: '23502',
      client: '[Client]',
      cause: { message: 'connect ECONNREFUSED 127.0.0.1:5432', code: 'ECONNREFUSED', address: '127.0.0.1' },
    });
    expect(JSON.stringify(clean)).not.toMatch(/hunter2|Ola|ola@/);
    expect(clean).toHaveProperty('stack', expect.stringContaining('at '));
  });
});

describe('excerpt', () => {
  test('keeps a small JSON body, redacted', () => {
    expect(
      excerpt('{"code":"invalid","message":"phone is wrong","customer":{"email":"ola@example.com"}}'),
    ).toEqual({
      code: 'invalid',
      message: 'phone is wrong',
      customer: { email: '[redacted]' },
    });
    expect(excerpt({ id: 'x' })).toEqual({ id: 'x' });
  });

  test('replaces a body over the cap by a sentence', () => {
    expect(excerpt({ message: 'x'.repeat(5_000) })).toBe(
      'a body of 5014 bytes, JSON, more than the 4096 bytes that are kept',
    );
    expect(excerpt(JSON.stringify({ list: Array.from({ length: 100_000 }, () => 'row') }))).toMatch(
      /^a body of 600010 bytes, JSON/,
    );
    expect(excerpt(`[${'"x",'.repeat(50)}"x"]`, 100)).toMatch(
      /^a body of \d+ bytes, JSON, more than the 100/,
    );
  });

  test('describes what is no JSON, with its scrubbed beginning', () => {
    expect(excerpt('<html>mail ola@example.com</html>')).toBe(
      'a body of 33 bytes, markup, no JSON; it begins: <html>mail [email]</html>',
    );
    expect(excerpt('Bad Gateway', 4_096, 'text/plain')).toBe(
      'a body of 11 bytes, text/plain, no JSON; it begins: Bad Gateway',
    );
    expect(excerpt('x'.repeat(10_000))).toHaveLength(
      'a body of 10000 bytes, plain text, no JSON; it begins: '.length + 200,
    );
    expect(excerpt('  ')).toBe('an empty body');
  });

  test('never exceeds its cap by more than its own sentence, and never shows a plant', () => {
    fc.assert(
      fc.property(planted, fc.nat(6_000), ({ text, hidden }, length) => {
        for (const body of [
          `${'y'.repeat(length)} ${text} z`,
          JSON.stringify({ pad: 'y '.repeat(length), id: text }),
        ]) {
          const kept = JSON.stringify(excerpt(body));
          expect(kept).not.toContain(hidden);
          expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(4_096);
        }
      }),
    );
  });
});

describe('createLog', () => {
  test('writes one JSON object a line, with ISO time and the level as a word', () => {
    const { log, lines, last } = keptLog();
    log.info({ event: 'order.attempted', orderId: 'o-1', durationMs: 12 }, 'order.attempted');
    expect(lines.join('')).toMatch(/^\{[^\n]*\}\n$/);
    expect(last()).toMatchObject({
      level: 'info',
      event: 'order.attempted',
      orderId: 'o-1',
      durationMs: 12,
      msg: 'order.attempted',
    });
    expect(last().time).toMatch(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/);
  });

  test('leaves out what is below its level', () => {
    const lines: string[] = [];
    const log = createLog('warn', { write: (line: string) => void lines.push(line) });
    log.info('quiet');
    log.warn('loud');
    expect(lines).toHaveLength(1);
  });

  test('an error is logged with message and stack, both scrubbed', () => {
    const { log, last } = keptLog();
    log.error(new TypeError('cannot read ola@example.com of +47 22 22 22 22'));
    expect(last()).toMatchObject({
      msg: 'cannot read [email] of [digits]',
      err: { type: 'TypeError', message: 'cannot read [email] of [digits]' },
    });
    expect(JSON.stringify(last())).not.toMatch(/ola@|22 22/);
    expect(last()).toHaveProperty('err.stack', expect.stringContaining('log.test'));
  });

  test('a plant comes out by no way into a line: object, message, arguments, child, serializer, prefix', () => {
    fc.assert(
      fc.property(plantedAnywhere, planted, ({ hidden, value }, other) => {
        const { log, lines } = keptLog();
        log.info({ value }, 'an object');
        log.error({ err: value, [other.text]: value });
        log.warn('%s and %j', other.text, { x: other.text });
        log.child({ value, who: other.text }).info('a child');
        log
          .child({}, { msgPrefix: `${other.text} `, serializers: { req: () => other.text } })
          .info({ req: {} }, 'says');
        expect(lines).toHaveLength(5);
        expect(lines.join('')).not.toContain(JSON.stringify(hidden).slice(1, -1));
        expect(lines.join('')).not.toContain(JSON.stringify(other.hidden).slice(1, -1));
      }),
      { numRuns: 300 },
    );
  });
});
