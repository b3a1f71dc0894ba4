/** A reading is shared, kept for a while, and never dearer than its share of the time. */
import { createSnapshot, type Taken } from '../../src/metrics/snapshot.js';
import { type FakeTime, fakeTime } from '../helpers/fake-time.js';

const FRESH_MS = 2_000;

let time: FakeTime;
let taken: number;
let next: { large: boolean; tookMs: number; error?: Error };
/** What readings that are under way wait for. */
let gate: Promise<void>;

beforeEach(() => {
  time = fakeTime();
  taken = 0;
  next = { large: false, tookMs: 0 };
  gate = Promise.resolve();
});

const snapshot = () =>
  createSnapshot({
    freshMs: FRESH_MS,
    clock: time.clock,
    take: async (): Promise<Taken<number>> => {
      taken += 1;
      const value = taken;
      const { large, tookMs, error } = next;
      await gate;
      time.advance(tookMs);
      if (error !== undefined) throw error;
      return { value, large };
    },
  });

test('many who ask at once share one reading', async () => {
  const { get } = snapshot();
  const all = await Promise.all([get(), get(), get()]);
  expect(all.map(({ value }) => value)).toEqual([1, 1, 1]);
});

test('a reading is told with its age until it is too old, and then read again', async () => {
  const { get } = snapshot();
  await get();
  time.advance(FRESH_MS - 1);
  expect(await get()).toEqual({ value: 1, large: false, ageMs: FRESH_MS - 1 });
  time.advance(1);
  expect(await get()).toEqual({ value: 2, large: false, ageMs: 0 });
});

test('a large reading is not waited for while there is an older one', async () => {
  const { get } = snapshot();
  next = { large: true, tookMs: 0 };
  await get();
  time.advance(FRESH_MS);
  let release = () => {};
  gate = new Promise((resolve) => {
    release = resolve;
  });
  expect(await get()).toMatchObject({ value: 1, ageMs: FRESH_MS });
  expect(await get()).toMatchObject({ value: 1 });
  release();
  // Whoever asks next may still meet the older one, until the new one is written down.
  while ((await get()).value === 1);
  expect(taken).toBe(2);
});

test('what was read long ago is told to nobody, however large it is', async () => {
  const { get } = snapshot();
  next = { large: true, tookMs: 0 };
  await get();
  time.advance(60_000);
  expect((await get()).value).toBe(2);
});

test('a large reading takes a fiftieth of the time at most', async () => {
  const { get } = snapshot();
  next = { large: true, tookMs: 100 };
  await get();
  // Of the 5,000 ms it has taken 100 itself.
  time.advance(4_899);
  await get();
  expect(taken).toBe(1);
  time.advance(1);
  await get();
  expect(taken).toBe(2);
});

test('a small one that was slow by chance is read again as soon as any other', async () => {
  const { get } = snapshot();
  next = { large: false, tookMs: 1_000 };
  await get();
  time.advance(FRESH_MS);
  expect((await get()).value).toBe(2);
});

test('a failure is told until a reading succeeds, and one that took long is not tried at each turn', async () => {
  const { get } = snapshot();
  next = { large: false, tookMs: 5_000, error: new Error('too slow') };
  await expect(get()).rejects.toThrow('too slow');
  next = { large: false, tookMs: 0 };
  time.advance(100_000);
  await expect(get()).rejects.toThrow('too slow');
  expect(taken).toBe(1);
  time.advance(150_000);
  expect((await get()).value).toBe(2);
});

test('a peek begins a reading and does not wait for it', async () => {
  const { get, peek } = snapshot();
  expect(peek()).toBeNull();
  expect((await get()).value).toBe(1);
  expect(peek()).toMatchObject({ value: 1 });
  expect(taken).toBe(1);
});
