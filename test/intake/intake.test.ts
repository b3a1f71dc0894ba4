import fc from 'fast-check';
import type { CachedAccount } from '../../src/accounts/cache.js';
import { commonConfig } from '../../src/accounts/settings.js';
import { type Checked, checkOrder, hashOf } from '../../src/intake/intake.js';
import { gelatoConnect } from '../../src/providers/gelato-connect/index.js';
import type { OpenAccount } from '../../src/providers/provider.js';
import { goodBody, openAccount } from '../providers/gelato-connect/fixtures.js';

function cached(open: OpenAccount): CachedAccount {
  return {
    id: open.id,
    open,
    provider: gelatoConnect,
    common: commonConfig.parse({}),
    limits: gelatoConnect.limits,
    policy: gelatoConnect.policy,
    breaker: null,
    mode: open.mode,
    paused: false,
    inDoubt: false,
    updatedAt: new Date(0),
  };
}

const PLAIN = cached(openAccount());
const WITH_DRAFTS = cached(openAccount({ activateUrl: 'https://api.example.com/v4/orders/{id}' }));

function check(raw: unknown, account: CachedAccount = PLAIN): Checked {
  return checkOrder(raw, (id) => (id === account.id ? account : null));
}

/** What is wrong with an order, as `code pointer`, sorted. */
function wrong(raw: unknown, account?: CachedAccount): string[] {
  const checked = check(raw, account);
  return checked.ok ? [] : checked.problems.map(({ code, pointer }) => `${code} ${pointer}`).sort();
}

function stored(raw: unknown, account?: CachedAccount) {
  const checked = check(raw, account);
  if (!checked.ok) throw new Error(`refused: ${JSON.stringify(checked.problems)}`);
  return checked.order;
}

const GOOD = goodBody();
const [ITEM] = GOOD.items ?? [];
const ADDRESS = GOOD.shippingAddress;

describe('a good order', () => {
  test('becomes what the store keeps: its body, its hash, its first step', () => {
    const raw = { ...GOOD, totals: { shipping: '4.90' }, items: [{ ...ITEM, unitPrice: 12.5 }] };
    expect(stored(raw)).toEqual({
      accountId: 'gelato-eu',
      reference: 'shop:1001',
      body: { ...raw, totals: { shipping: '4.9' }, items: [{ ...ITEM, unitPrice: '12.5' }] },
      bodyHash: hashOf(raw),
      held: false,
      step: 'submit',
      stepRepeatable: false,
      priority: 5,
      serialKey: null,
      lookable: true,
    });
  });

  test('is one with a step of its own where the provider’s first step may be repeated', () => {
    const [submit] = PLAIN.open.verbs.submit;
    const first = { ...submit, name: 'customer', repeatable: true };
    const open: OpenAccount = {
      ...PLAIN.open,
      verbs: { submit: [first, submit] },
      serialKey: (body) => body.reference,
    };
    expect(stored(GOOD, cached(open))).toMatchObject({
      step: 'customer',
      stepRepeatable: true,
      serialKey: 'shop:1001',
    });
  });
});

describe('an order that is not to be activated', () => {
  test.each<[string, boolean | undefined, CachedAccount, boolean]>([
    ['is held here where the account can hold no drafts', false, PLAIN, true],
    ['is sent as a draft where the account can', false, WITH_DRAFTS, false],
    ['is no such order when it says so', true, PLAIN, false],
    ['is no such order when it says nothing', undefined, PLAIN, false],
    ['is no such order when it says so, drafts or not', true, WITH_DRAFTS, false],
  ])('%s', (_what, activate, account, held) => {
    const raw = activate === undefined ? GOOD : { ...GOOD, activate };
    expect(stored(raw, account).held).toBe(held);
  });
});

describe('the hash of a body', () => {
  test('does not depend on the order of the fields, at any depth', () => {
    expect(hashOf({ a: 1, b: { c: [1, { d: 2, e: 3 }], f: 4 } })).toBe(
      hashOf({ b: { f: 4, c: [1, { e: 3, d: 2 }] }, a: 1 }),
    );
  });

  test.each<[string, unknown, unknown]>([
    ['a value', { a: 1 }, { a: 2 }],
    ['a type', { a: 1 }, { a: '1' }],
    ['how an amount is written', { a: '12.50' }, { a: '12.5' }],
    ['the order of a list', { a: [1, 2] }, { a: [2, 1] }],
    ['a name', { a: 1 }, { b: 1 }],
    ['a field that is null', { a: null }, {}],
    ['where the levels end', { a: { b: 1 } }, { a: {}, b: 1 }],
    ['an accent composed otherwise', { a: '\u00e9' }, { a: 'e\u0301' }],
  ])('tells %s apart', (_what, one, other) => {
    expect(hashOf(one)).not.toBe(hashOf(other));
  });

  test('is that of the RFC 8785 text, so that another program can compute it', () => {
    // printf '{"a":1,"b":[true,null,"\303\251"]}' | sha256sum
    expect(hashOf({ b: [true, null, 'é'], a: 1.0 })).toBe(
      '9488dd13ca33d3291f5a91a1833dfa164811755ffba538c2b340780f8c31a0cb',
    );
  });

  test('is the same exactly for the same JSON', () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(json, json, (one, other) => {
        const again: unknown = JSON.parse(JSON.stringify(one));
        expect(hashOf(again)).toBe(hashOf(one));
        expect(hashOf(one) === hashOf(other)).toBe(sorted(one) === sorted(other));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** JSON text with the fields of every object in order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

describe('an order with mistakes', () => {
  test('hears of all of them at once: of its shape, its account and its provider', () => {
    const raw = {
      account: 'gelato-eu',
      reference: 'shop:1001',
      colour: 'red',
      currency: 'euro',
      customer: { firstName: 'Kari' },
      shippingAddress: { line1: 'Main St 1', city: 'Reno', country: 'US' },
      items: [
        {
          reference: 'a',
          quantity: 1,
          sku: 'x',
          files: [{ type: 'front', url: 'http://files.example.com/a' }],
        },
      ],
    };
    expect(wrong(raw)).toEqual([
      'invalid /currency',
      'invalid /items/0/files/0/url',
      'required /customer/email',
      'required /customer/lastName',
      'required /customer/phone',
      'required /shippingAddress/postCode',
      'required /shippingAddress/state',
      'unknown_field /colour',
    ]);
  });

  test('hears what the provider misses beside a mistake of shape in the same part', () => {
    const raw = {
      ...GOOD,
      shippingAddress: { ...ADDRESS, country: 'US', planet: 'Earth' },
      items: [
        { ...ITEM, quantity: 0 },
        { ...ITEM, reference: 'line-2', files: [] },
      ],
    };
    expect(wrong(raw)).toEqual([
      'invalid /items/0/quantity',
      'required /items/1/files',
      'required /shippingAddress/state',
      'unknown_field /shippingAddress/planet',
    ]);
  });

  test('hears what the provider misses though an element of a list is something else altogether', () => {
    const shippingAddress = { ...ADDRESS, country: 'US' };
    const state = 'required /shippingAddress/state';
    expect(wrong({ ...GOOD, shippingAddress, items: ['poster'] })).toEqual(['invalid /items/0', state]);
    const files = ['https://files.example.com/a.pdf'];
    expect(wrong({ ...GOOD, shippingAddress, items: [{ ...ITEM, files }] })).toEqual([
      'invalid /items/0/files/0',
      state,
    ]);
  });

  test('hears what the provider misses though a wrong field is called like something of every object', () => {
    const metadata = { constructor: null, toString: null, quantity: null };
    expect(wrong({ ...GOOD, shippingAddress: { ...ADDRESS, country: 'US' }, metadata })).toEqual([
      'invalid /metadata/constructor',
      'invalid /metadata/quantity',
      'invalid /metadata/toString',
      'required /shippingAddress/state',
    ]);
  });

  test('does not hear of a field twice, nor of what only its own mistake keeps from being read', () => {
    expect(wrong({ ...GOOD, items: 'none' })).toEqual(['invalid /items']);
    expect(wrong({ ...GOOD, currency: 7 })).toEqual(['invalid /currency']);
    expect(wrong({ ...GOOD, customer: null })).toEqual(['invalid /customer']);
  });

  test('hears that there is no such account, whatever else is wrong', () => {
    expect(wrong({ ...GOOD, account: 'nobody' })).toEqual(['unknown_account /account']);
    expect(wrong({ ...GOOD, account: 'nobody', colour: 1 })).toEqual([
      'unknown_account /account',
      'unknown_field /colour',
    ]);
    expect(wrong({ ...GOOD, account: 7 })).toEqual(['invalid /account']);
    expect(wrong({ ...GOOD, account: '' })).toEqual(['invalid /account']);
  });

  test('hears of unknown fields at each depth, in names that need escaping', () => {
    const raw = { ...GOOD, 'a/b': 1, items: [{ ...ITEM, '~c': 1, options: { 'd/e~': 1 } }] };
    expect(wrong(raw)).toEqual([
      'unknown_field /a~1b',
      'unknown_field /items/0/~0c',
      'unknown_option /items/0/options/d~1e~0',
    ]);
  });

  test('hears of two hundred of them at most', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x${index}`, 1]));
    expect(wrong({ ...GOOD, ...many })).toHaveLength(200);
    expect(
      wrong({ ...GOOD, options: Object.fromEntries(Object.keys(many).map((key) => [key, '\u0000'])) }),
    ).toHaveLength(200);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'order'],
    ['a number', 7],
    ['true', true],
    ['a list', [GOOD]],
    ['an empty list', []],
  ])('that is no object but %s is refused as a whole', (_what, raw) => {
    const checked = check(raw);
    expect(checked.ok).toBe(false);
    if (!checked.ok) expect(checked.problems.map(({ pointer }) => pointer)).toEqual(['']);
  });
});

describe('what cannot be stored', () => {
  test.each<[string, unknown, string]>([
    ['NUL in a text', { ...GOOD, notes: 'a\u0000b' }, '/notes'],
    ['NUL deep in options', { ...GOOD, options: { a: [{ 'b/c': 'x\u0000' }] } }, '/options/a/0/b~1c'],
    ['NUL in metadata', { ...GOOD, metadata: { a: '\u0000' } }, '/metadata/a'],
    ['NUL in a name', { ...GOOD, options: { 'a\u0000b': 1 } }, '/options'],
    ['half a character in a text', { ...GOOD, notes: 'a\udc00' }, '/notes'],
    ['half a character in a name', { ...GOOD, metadata: { '\ud83d': 1 } }, '/metadata'],
    ['half a character in a list', { ...GOOD, options: { a: ['ok', '\ud83d'] } }, '/options/a/1'],
  ])('is %s: invalid at its place', (_what, raw, pointer) => {
    expect(wrong(raw)).toEqual([`invalid ${pointer}`]);
  });

  test('is told for every place at once', () => {
    expect(wrong({ ...GOOD, notes: '\u0000', options: { a: '\ud800' } })).toEqual([
      'invalid /notes',
      'invalid /options/a',
    ]);
  });

  test('whole characters beyond the first plane can be', () => {
    expect(wrong({ ...GOOD, notes: '😀 two\nlines' })).toEqual([]);
  });
});

describe('nesting', () => {
  const nested = (levels: number, wrap: (inner: unknown) => unknown) => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level += 1) value = wrap(value);
    return value;
  };
  const asList = (inner: unknown) => [inner];
  const asObject = (inner: unknown) => ({ a: inner });

  test.each<[string, (inner: unknown) => unknown]>([
    ['lists', asList],
    ['objects', asObject],
  ])('of 20,000 %s is a problem with a place, not an exception', (_what, wrap) => {
    const checked = check({ ...GOOD, options: { a: nested(20_000, wrap) } });
    expect(checked).toMatchObject({ ok: false, problems: [{ code: 'too_deep' }] });
    expect(check(nested(20_000, wrap))).toMatchObject({ ok: false, problems: [{ code: 'too_deep' }] });
  });

  test('up to twenty levels is left to the provider, the twenty-first is too deep', () => {
    // The body itself and `options` are two levels, the innermost value is none.
    expect(wrong({ ...GOOD, options: { a: nested(18, asObject) } })).toEqual(['unknown_option /options/a']);
    expect(wrong({ ...GOOD, options: { a: nested(19, asObject) } })).toEqual([
      `too_deep /options/a${'/a'.repeat(18)}`,
    ]);
  });

  test('in many places at once is told in bounded time and number', () => {
    const wide = Array.from({ length: 5_000 }, () => nested(30, asList));
    expect(wrong({ ...GOOD, options: { wide } })).toHaveLength(200);
  });
});

describe('whatever a shop writes', () => {
  const keys = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom(
      'account',
      'reference',
      'items',
      'customer',
      'options',
      'metadata',
      'totals',
      'quantity',
      'files',
      '__proto__',
      'constructor',
      'toString',
      '~',
      '/',
    ),
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, false, 'gelato-eu', 'shop:1001', 'EUR'),
      fc.double(),
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(keys, tie('json'), { maxKeys: 5 }),
    ),
  }));
  const bodies = fc.oneof(
    json,
    fc.dictionary(keys, json).map((parts) => ({ ...GOOD, ...parts })),
    fc.tuple(fc.constantFrom(...Object.keys(GOOD)), json).map(([key, value]) => ({ ...GOOD, [key]: value })),
  );
  const POINTER = /^(\/([^~/]|~[01])*)*$/su;

  test('is taken or refused without an exception, and every problem has a place, a code and a sentence', () => {
    fc.assert(
      fc.property(bodies, fc.boolean(), (raw, drafts) => {
        const checked = check(raw, drafts ? WITH_DRAFTS : PLAIN);
        if (checked.ok) {
          expect(JSON.stringify(checked.order)).not.toMatch(/\\u0000/);
          return;
        }
        expect(checked.problems.length).toBeGreaterThan(0);
        for (const { pointer, code, detail } of checked.problems) {
          expect(pointer).toMatch(POINTER);
          expect(code).toMatch(/^[a-z_]+$/);
          expect(detail).not.toBe('');
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('has one problem per place', () => {
    fc.assert(
      fc.property(bodies, (raw) => {
        const checked = check(raw);
        if (checked.ok) return;
        const places = checked.problems.map(({ pointer, code }) => `${code} ${pointer}`);
        expect(places).toEqual([...new Set(places)]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is judged alike each time, and what is taken is not changed in the hands of the shop', () => {
    fc.assert(
      fc.property(bodies, (raw) => {
        const before = JSON.stringify(raw);
        expect(check(raw)).toEqual(check(raw));
        expect(JSON.stringify(raw)).toBe(before);
      }),
    );
  });
});
