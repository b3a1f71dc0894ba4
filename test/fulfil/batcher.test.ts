import fc from 'fast-check';
import { type Batcher, createBatcher } from '../../src/fulfil/batcher.js';
import { until } from '../helpers/until.js';

/** A batcher whose batches wait until they are let go. */
function held(options: { max: number; inFlight: number; fails?: (items: readonly number[]) => boolean }) {
  const calls: { items: readonly number[]; go(): void }[] = [];
  let underWay = 0;
  let most = 0;
  const batcher = createBatcher<number, string>({
    ...options,
    run: (items) => {
      underWay += 1;
      most = Math.max(most, underWay);
      return new Promise((resolve, reject) => {
        const go = () => {
          underWay -= 1;
          if (options.fails?.(items) === true) reject(new Error(`no: ${items.join(' ')}`));
          else resolve(items.map((item) => `answer ${item}`));
        };
        calls.push({ items, go });
      });
    },
  });
  return { batcher, calls, most: () => most };
}

/** A batcher that answers at once. */
function quick(options: { max: number; inFlight: number; fails?: (items: readonly number[]) => boolean }) {
  const calls: (readonly number[])[] = [];
  let underWay = 0;
  let most = 0;
  const batcher = createBatcher<number, string>({
    ...options,
    run: async (items) => {
      calls.push(items);
      underWay += 1;
      most = Math.max(most, underWay);
      await nextTurn();
      underWay -= 1;
      if (options.fails?.(items) === true) throw new Error(`no: ${items.join(' ')}`);
      return items.map((item) => `answer ${item}`);
    },
  });
  return { batcher, calls, most: () => most };
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
const submitAll = (batcher: Batcher<number, string>, items: readonly number[]) =>
  Promise.allSettled(items.map((item) => batcher.submit(item)));

describe('a batcher', () => {
  test('takes what was submitted in one turn along in one batch', async () => {
    const { batcher, calls } = quick({ max: 200, inFlight: 2 });
    await submitAll(batcher, range(50));
    expect(calls).toEqual([range(50)]);
  });

  test('runs at once when it is idle: nothing waits for company', async () => {
    const { batcher, calls } = held({ max: 200, inFlight: 2 });
    const answer = batcher.submit(1);
    await nextTurn();
    expect(calls.map(({ items }) => items)).toEqual([[1]]);
    calls[0]?.go();
    expect(await answer).toBe('answer 1');
  });

  test('gives every caller its own answer, whatever their order', async () => {
    const { batcher } = quick({ max: 7, inFlight: 3 });
    const items = [5, 3, 3, 9, 1, 0, 2, 8, 8, 4, 6];
    const answers = await Promise.all(items.map((item) => batcher.submit(item)));
    expect(answers).toEqual(items.map((item) => `answer ${item}`));
  });

  test('makes no batch larger than its maximum', async () => {
    const { batcher, calls } = quick({ max: 4, inFlight: 1 });
    await submitAll(batcher, range(10));
    expect(calls).toEqual([range(4), range(4, 4), range(2, 8)]);
  });

  test('collects what arrives while its batches are under way', async () => {
    const { batcher, calls } = held({ max: 200, inFlight: 1 });
    const first = batcher.submit(0);
    await nextTurn();
    const later = range(5, 1).map((item) => batcher.submit(item));
    await nextTurn();
    await nextTurn();
    expect(calls).toHaveLength(1);
    calls[0]?.go();
    await first;
    await until('the second batch has begun', () => calls.length === 2);
    expect(calls[1]?.items).toEqual(range(5, 1));
    calls[1]?.go();
    await Promise.all(later);
  });

  test('has so many batches under way, and no more', async () => {
    const { batcher, calls, most } = held({ max: 2, inFlight: 3 });
    const answers = submitAll(batcher, range(10));
    await until('three batches are under way', () => calls.length === 3);
    await nextTurn();
    expect(calls).toHaveLength(3);
    calls[1]?.go();
    await until('the next one began when one ended', () => calls.length === 4);
    for (let at = 0; at < 5; at += 1) {
      await until('the batch has begun', () => calls.length > at);
      if (at !== 1) calls[at]?.go();
    }
    expect((await answers).every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(most()).toBe(3);
  });

  test('goes on after being idle', async () => {
    const { batcher, calls } = quick({ max: 10, inFlight: 1 });
    await batcher.submit(1);
    await nextTurn();
    await batcher.submit(2);
    expect(calls).toEqual([[1], [2]]);
  });
});

describe('a batch that fails', () => {
  const withThree = (items: readonly number[]) => items.includes(3);

  test('is tried item by item, so that one bad item does not fail its company', async () => {
    const { batcher, calls } = quick({ max: 10, inFlight: 1, fails: withThree });
    const results = await submitAll(batcher, range(6));
    expect(results.map(({ status }) => status)).toEqual(
      range(6).map((item) => (item === 3 ? 'rejected' : 'fulfilled')),
    );
    expect(results[3]).toMatchObject({ reason: new Error('no: 3') });
    expect(calls).toEqual([range(6), ...range(6).map((item) => [item])]);
  });

  test('of one item alone is not tried again', async () => {
    const { batcher, calls } = quick({ max: 10, inFlight: 1, fails: () => true });
    await expect(batcher.submit(3)).rejects.toThrow('no: 3');
    expect(calls).toEqual([[3]]);
  });

  test('leaves the next batches alone', async () => {
    const { batcher } = quick({ max: 2, inFlight: 1, fails: withThree });
    const results = await submitAll(batcher, range(8));
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(await batcher.submit(9)).toBe('answer 9');
  });

  test.each([
    ['too few answers', (items: readonly number[]) => (items.length > 1 ? ['one'] : items.map(String))],
    [
      'too many answers',
      (items: readonly number[]) => [...items, ...(items.length > 1 ? [0] : [])].map(String),
    ],
  ])('is also one with %s: nobody gets the answer of another', async (_what, answer) => {
    const batcher = createBatcher<number, string>({
      max: 10,
      inFlight: 1,
      run: async (items) => answer(items),
    });
    expect(await Promise.all([7, 8, 9].map((item) => batcher.submit(item)))).toEqual(['7', '8', '9']);
  });

  test('is also one whose statement throws before it has begun', async () => {
    const batcher = createBatcher<number, string>({
      max: 10,
      inFlight: 1,
      run: () => {
        throw new TypeError('no connection');
      },
    });
    const results = await submitAll(batcher, [1, 2]);
    expect(results).toMatchObject([
      { reason: new TypeError('no connection') },
      { reason: new TypeError('no connection') },
    ]);
  });

  test('tries its items without more statements under way than allowed', async () => {
    const { batcher, most } = quick({ max: 200, inFlight: 2, fails: (items) => items.length > 1 });
    const results = await submitAll(batcher, range(200));
    expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(most()).toBeLessThanOrEqual(2);
  });
});

describe('whatever is submitted', () => {
  test('each item is answered once, by its own answer, in batches within the bounds', async () => {
    const waves = fc.array(fc.array(fc.nat({ max: 50 }), { maxLength: 30 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        waves,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        async (items, max, inFlight) => {
          const { batcher, calls, most } = quick({ max, inFlight });
          const answers: Promise<string>[] = [];
          for (const wave of items) {
            answers.push(...wave.map((item) => batcher.submit(item)));
            await nextTurn();
          }
          expect(await Promise.all(answers)).toEqual(items.flat().map((item) => `answer ${item}`));
          expect(calls.flat().sort()).toEqual(items.flat().sort());
          expect(calls.every((batch) => batch.length >= 1 && batch.length <= max)).toBe(true);
          expect(most()).toBeLessThanOrEqual(inFlight);
        },
      ),
    );
  });
});
