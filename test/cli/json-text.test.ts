import fc from 'fast-check';
import { placeOf, readJson, scanJson } from '../../src/json-text.js';

const parses = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** JSON with one character put in, taken out or cut off: nearly JSON, which random text hardly ever is. */
const nearlyJson = fc
  .tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom('', ',', '}', ']', '"', '\\', '0', '.', 'e', '\n', '\u0001', 'x'),
    fc.nat(2),
  )
  .map(([text, where, char, removed]) => {
    const at = where % (text.length + 1);
    return text.slice(0, at) + char + text.slice(at + removed);
  });

describe('scanJson', () => {
  test('agrees with JSON.parse on what is JSON', () => {
    fc.assert(
      fc.property(fc.oneof(nearlyJson, fc.json(), fc.string()), (text) => {
        expect(scanJson(text).ok).toBe(parses(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test('what stands before the fault can be continued, what stands up to it cannot', () => {
    fc.assert(
      fc.property(nearlyJson, fc.json(), (text, rest) => {
        const scan = scanJson(text);
        // A number that breaks off is told of where it stops being one, though more digits could mend it.
        if (scan.ok || scan.at >= text.length || /[-+.eE]/.test(text.charAt(scan.at))) return;
        expect(parses(text.slice(0, scan.at + 1) + rest)).toBe(false);
      }),
    );
  });

  test('tells where the elements of the outermost array begin', () => {
    const text = ' [\n  {"a": [1, 2]},\n  "b", [3]\n]';
    expect(scanJson(text)).toEqual({
      ok: true,
      elements: [text.indexOf('{'), text.indexOf('"b"'), text.indexOf('[3')],
    });
    expect(scanJson('{"a": [1]}')).toEqual({ ok: true, elements: [] });
  });

  test('reads any depth', () => {
    const depth = 200_000;
    expect(scanJson('['.repeat(depth) + ']'.repeat(depth)).ok).toBe(true);
    expect(scanJson('['.repeat(depth))).toEqual({ ok: false, at: depth, expected: 'a value or ]' });
  });

  test('reads a string of several megabytes', () => {
    const long = 'x'.repeat(4_000_000);
    expect(scanJson(`"${long}"`).ok).toBe(true);
    expect(scanJson(`"${long}`)).toEqual({
      ok: false,
      at: long.length + 1,
      expected: 'the closing quote of a string',
    });
  });
});

describe('readJson', () => {
  test.each([
    ['{"a": 1,}', 1, 9, 'a name in double quotes'],
    ['{"a": 1\n "b": 2}', 2, 2, 'a comma or }'],
    ['{\n  "a" 1}', 2, 7, 'a colon'],
    ['[1, 2,]', 1, 7, 'a value'],
    ['[1 2]', 1, 4, 'a comma or ]'],
    ['{a: 1}', 1, 2, 'a name in double quotes, or }'],
    ["{'a': 1}", 1, 2, 'a name in double quotes, or }'],
    ['{"a": 01}', 1, 8, 'a comma or }'],
    ['{"a": NaN}', 1, 7, 'a value'],
    ['{} {}', 1, 4, 'nothing more after the JSON value'],
    ['{"a": ', 1, 7, 'a value'],
    ['', 1, 1, 'a value'],
    ['"a\\x"', 1, 3, 'a valid escape such as \\n or \\u00e9'],
    ['"a\\', 1, 3, 'a valid escape such as \\n or \\u00e9'],
    ['"a\tb"', 1, 3, 'the end of the string (control characters must be escaped)'],
  ])('%j is broken at line %d, column %d: expected %s', (text, line, column, expected) => {
    expect(readJson(text)).toEqual({ ok: false, place: { line, column }, expected });
  });

  test('never quotes the text, which may hold personal data', () => {
    const read = readJson('{"email": "sara@example.com" oops}');
    expect(JSON.stringify(read)).not.toContain('sara');
  });
});

test('a place counts lines by their line feeds, from 1', () => {
  expect(placeOf('a\r\nbc\n\nd', 0)).toEqual({ line: 1, column: 1 });
  expect(placeOf('a\r\nbc\n\nd', 4)).toEqual({ line: 2, column: 2 });
  expect(placeOf('a\r\nbc\n\nd', 7)).toEqual({ line: 4, column: 1 });
});
