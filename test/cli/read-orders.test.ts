import fc from 'fast-check';
import { type OrdersFile, readOrders } from '../../src/cli/read-orders.js';

const read = (text: string): OrdersFile => readOrders(Buffer.from(text));
const entriesOf = (file: OrdersFile) => (file.ok ? file.entries : []);
const BOM = '\ufeff';

const orders = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 2, maxLength: 20 });

describe('readOrders', () => {
  test('never throws, whatever the bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .oneof(
          fc.string(),
          fc.json(),
          fc.array(fc.json()).map((lines) => lines.join('\n')),
        )
        .map((text) => Buffer.from(text)),
      fc
        .tuple(fc.json(), fc.nat())
        .map(([text, cut]) => Buffer.from(text).subarray(0, cut % (text.length + 1))),
    );
    fc.assert(
      fc.property(bytes, (value) => {
        const file = readOrders(value);
        if (!file.ok) return expect(file.detail).not.toBe('');
        expect(file.entries.map(({ index }) => index)).toEqual(file.entries.map((_, index) => index));
      }),
      { numRuns: 2_000 },
    );
  });

  test('an array and NDJSON of the same orders give the same bodies', () => {
    fc.assert(
      fc.property(orders, fc.boolean(), (bodies, windows) => {
        const lines = bodies.map((body) => JSON.stringify(body)).join(windows ? '\r\n' : '\n');
        const array = read(JSON.stringify(bodies, null, 2));
        const bodiesOf = (file: OrdersFile) => entriesOf(file).map((entry) => (entry.ok ? entry.body : null));
        expect(bodiesOf(read(lines))).toEqual(bodiesOf(array));
        // A dictionary may have a key `__proto__`, which only JSON.parse keeps as a key.
        expect(bodiesOf(array)).toEqual(JSON.parse(JSON.stringify(bodies)));
      }),
    );
  });

  test('an object is one order, on the line where it begins', () => {
    expect(read('\n\n{"reference":\n "A-1"}\n')).toEqual({
      ok: true,
      form: 'object',
      entries: [{ index: 0, line: 3, ok: true, body: { reference: 'A-1' } }],
    });
  });

  test('the orders of an array know their lines', () => {
    const file = read(
      '[\n  {"reference": "A"}, {"reference": "B"},\n\n  {\n    "reference": "C"\n  },\n  7\n]',
    );
    expect(file).toMatchObject({ ok: true, form: 'array' });
    expect(entriesOf(file).map(({ line }) => line)).toEqual([2, 2, 4, 7]);
  });

  test('an empty array holds no orders, and is no mistake', () => {
    expect(read('[]')).toEqual({ ok: true, form: 'array', entries: [] });
  });

  test('blank lines of NDJSON count as lines, not as orders', () => {
    const file = read('{"reference": "A"}\n\n \r\n{"reference": "B"}\n');
    expect(file).toMatchObject({ ok: true, form: 'lines' });
    expect(entriesOf(file).map(({ index, line }) => [index, line])).toEqual([
      [0, 1],
      [1, 4],
    ]);
  });

  test('broken lines of NDJSON leave the others standing', () => {
    const file = read('{"reference": "A"}\n{"reference": "B"\n{"reference": "C"}\noops\n');
    expect(file).toEqual({
      ok: true,
      form: 'lines',
      entries: [
        { index: 0, line: 1, ok: true, body: { reference: 'A' } },
        { index: 1, line: 2, ok: false, column: 18, expected: 'a comma or }' },
        { index: 2, line: 3, ok: true, body: { reference: 'C' } },
        { index: 3, line: 4, ok: false, column: 1, expected: 'a value' },
      ],
    });
  });

  test('NDJSON may begin with its broken line', () => {
    const file = read('{"reference": \n{"reference": "B"}\n{"reference": "C"}');
    expect(entriesOf(file).map(({ ok }) => ok)).toEqual([false, true, true]);
  });

  test.each([
    ['an object', '{\n  "account": "a",\n  "items": [\n    {"reference": "1"}\n  ],\n  oops\n}', 6, 3],
    ['an array', '[\n{"reference": "A"}\n{"reference": "B"}\n]', 3, 1],
    ['two objects on a line', '{"reference": "A"} {"reference": "B"}', 1, 20],
    ['a cut off object', '{"reference": "A"', 1, 18],
    ['prose', 'Dear shop,\nplease find the orders attached', 1, 1],
    ['CSV', 'reference,sku\nA-1,mug\n', 1, 1],
  ])('%s that is broken is no JSON, with line and column', (_, text, line, column) => {
    expect(read(text)).toMatchObject({ ok: false, place: { line, column } });
  });

  test.each(['7', 'null', '"order"', 'true'])('%s is JSON, and no order', (text) => {
    expect(read(`\n${text}`)).toMatchObject({ ok: false, place: { line: 2, column: 1 } });
  });

  test.each(['', ' \n\r\n\t', BOM])('a file without content is refused', (text) => {
    expect(read(text)).toEqual({ ok: false, detail: 'it is empty' });
  });

  test('a byte order mark is accepted', () => {
    expect(read(`${BOM}[{"reference": "A"}]`)).toMatchObject({
      ok: true,
      entries: [{ body: { reference: 'A' } }],
    });
  });

  test('bytes that are not UTF-8 are refused with their place', () => {
    const latin1 = Buffer.concat([
      Buffer.from('{"a": "é"}\n{"city": "M'),
      Buffer.from([0xfc]),
      Buffer.from('nchen"}'),
    ]);
    expect(readOrders(latin1)).toEqual({
      ok: false,
      detail: 'it is not UTF-8; save it as UTF-8',
      place: { line: 2, column: 12 },
    });
  });

  test('a character cut off at the end is refused with its place', () => {
    const cut = Buffer.from('{"a": "é').subarray(0, -1);
    expect(readOrders(cut)).toMatchObject({ ok: false, place: { line: 1, column: 8 } });
  });

  test('UTF-16 is refused', () => {
    expect(readOrders(Buffer.from(`${BOM}[{}]`, 'utf16le'))).toMatchObject({
      ok: false,
      place: { line: 1, column: 1 },
    });
  });

  test('what no string can hold is refused before it is read', () => {
    // Looks as large as it needs to, without the memory.
    const huge = new Proxy(new Uint8Array(0), {
      get: (target, name) => (name === 'length' ? 2 ** 31 : Reflect.get(target, name)),
    });
    expect(readOrders(huge)).toMatchObject({ ok: false, detail: expect.stringContaining('256 MiB') });
  });
});
