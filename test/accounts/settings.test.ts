/** The breaker that an account is told, from its file to what it works by. */
import { parseAccountsFile } from '../../src/accounts/file.js';
import { breakerSettings } from '../../src/accounts/settings.js';
import type { Json } from '../../src/json.js';
import { providers } from '../../src/providers/registry.js';
import { gelatoEntry } from './specs.js';

function parse(breaker: Json) {
  const file = { accounts: [gelatoEntry({ breaker })] };
  return parseAccountsFile(file, {}, { providers, allowHttpHosts: [] });
}

/** What is wrong, as `pointer code` lines. */
function mistakes(breaker: Json): string[] {
  const parsed = parse(breaker);
  return parsed.ok ? [] : parsed.problems.map(({ pointer, code }) => `${pointer} ${code}`);
}

test.each<[Json, string[]]>([
  [true, ['/accounts/0/breaker invalid']],
  ['off', ['/accounts/0/breaker invalid']],
  [[], ['/accounts/0/breaker invalid']],
  [null, ['/accounts/0/breaker invalid']],
  [{ minCalls: 0 }, ['/accounts/0/breaker/minCalls invalid']],
  [{ minCalls: 2.5 }, ['/accounts/0/breaker invalid']],
  [{ minCalls: 100_001 }, ['/accounts/0/breaker/minCalls invalid']],
  [{ ratio: 0 }, ['/accounts/0/breaker/ratio invalid']],
  [{ ratio: 1.01 }, ['/accounts/0/breaker/ratio invalid']],
  [{ ratio: '80 %' }, ['/accounts/0/breaker invalid']],
  [{ windowMs: 999 }, ['/accounts/0/breaker/windowMs invalid']],
  [{ openMs: 99 }, ['/accounts/0/breaker/openMs invalid']],
  [{ maxOpenMs: 86_400_001 }, ['/accounts/0/breaker/maxOpenMs invalid']],
  [
    { rate: 0.5, minCalls: -1 },
    ['/accounts/0/breaker/minCalls invalid', '/accounts/0/breaker/rate unknown_field'],
  ],
])('a breaker %j is refused where it is wrong', (breaker, wrong) => {
  expect(mistakes(breaker).sort()).toEqual(wrong);
});

test('an account that says nothing of a breaker has one by the usual figures', () => {
  const usual = { minCalls: 20, ratio: 0.8, windowMs: 600_000, openMs: 30_000, maxOpenMs: 300_000 };
  expect(breakerSettings(null)).toEqual(usual);
  const parsed = parse({ minCalls: 5, openMs: 1_000 });
  expect(parsed.ok && breakerSettings(parsed.accounts[0]?.breaker ?? null)).toEqual({
    ...usual,
    minCalls: 5,
    openMs: 1_000,
  });
});

test('an account whose file says false has none', () => {
  const parsed = parse(false);
  expect(parsed.ok && parsed.accounts[0]?.breaker).toBe(false);
  expect(breakerSettings(false)).toBeNull();
});
