import fc from 'fast-check';
import { beginWalk, carryOf, nextOfWalk, type Walk, walkIn } from '../../src/fulfil/walk.js';

const AT = Date.parse('2026-03-12T08:00:00Z');
const first = beginWalk(AT, Date.parse('2026-03-10T08:00:00Z'));

test('a walk begins at the first page, and somewhat before the oldest order came in', () => {
  expect(first).toEqual({
    startedAt: AT,
    since: '2026-03-10T07:00:00.000Z',
    page: null,
    pages: 0,
    over: false,
  });
});

test('it goes on with what the page names, by number or by cursor', () => {
  expect(nextOfWalk(first, 2, 500)).toEqual({ ...first, page: 2, pages: 1 });
  expect(nextOfWalk(first, 'c-2', 500)).toMatchObject({ page: 'c-2', over: false });
});

test.each([null, undefined, {}, true])('it is over after a page that names %j as the next one', (next) => {
  expect(nextOfWalk(first, next, 500)).toMatchObject({ page: null, pages: 1, over: true });
});

test('it is over when nothing is left to be found', () => {
  expect(nextOfWalk(first, 2, 0)).toMatchObject({ over: true });
});

test('it never costs more than twice the single reads that it may spare, however long the list is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.infiniteStream(fc.nat({ max: 3 })), (orders, found) => {
      let unseen = orders;
      let walk: Walk = first;
      while (!walk.over) {
        unseen = Math.max(0, unseen - (found.next().value ?? 0));
        walk = nextOfWalk(walk, walk.pages + 2, unseen);
      }
      expect(walk.pages + unseen).toBeLessThanOrEqual(2 * orders);
    }),
  );
});

test('it is found again in the carry of its sync, and not in one that somebody has edited', () => {
  expect(walkIn({ other: 1, ...carryOf(first) })).toEqual(first);
  for (const edited of [
    null,
    {},
    { walk: 'x' },
    { walk: { ...first, pages: '1' } },
    { walk: { since: 'x' } },
  ])
    expect(walkIn(edited)).toBeNull();
});
