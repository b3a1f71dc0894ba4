import { nextOpening, type OpeningHours } from '../../src/providers/opening-hours.js';

describe('the next opening of the window', () => {
  const hours: OpeningHours = {
    timezone: 'Asia/Kuwait',
    days: { sun: ['09:00', '18:00'], mon: ['09:00', '18:00'], thu: ['16:00', '02:00'] },
  };
  // 2026-03-01 is a Sunday; Kuwait is three hours ahead of UTC.
  const next = (at: string, of = hours) => {
    const opening = nextOpening(of, Date.parse(at));
    return opening === null ? null : new Date(opening).toISOString();
  };

  test.each([
    ['before it opens', '2026-03-01T05:59:59Z', '2026-03-01T06:00:00.000Z'],
    ['in the evening', '2026-03-01T15:00:00Z', '2026-03-02T06:00:00.000Z'],
    ['before closed days', '2026-03-02T16:00:00Z', '2026-03-05T13:00:00.000Z'],
    ['after a night', '2026-03-05T23:00:00Z', '2026-03-08T06:00:00.000Z'],
    ['on the day before by UTC', '2026-02-28T22:30:00Z', '2026-03-01T06:00:00.000Z'],
  ])('%s', (_what, at, expected) => {
    expect(next(at)).toBe(expected);
  });

  test.each([
    ['at its first moment', '2026-03-01T06:00:00Z'],
    ['by day', '2026-03-01T12:00:00Z'],
    ['after midnight', '2026-03-05T22:59:59Z'],
  ])('is not known while it should be open: %s', (_what, at) => {
    expect(next(at)).toBeNull();
  });

  test('goes by the clock of the zone, through the change to summer time', () => {
    const berlin: OpeningHours = { timezone: 'Europe/Berlin', days: { sun: ['09:00', '24:00'] } };
    expect(next('2026-03-28T12:00:00Z', berlin)).toBe('2026-03-29T07:00:00.000Z');
    expect(next('2026-03-22T23:30:00Z', berlin)).toBe('2026-03-29T07:00:00.000Z');
    expect(next('2026-10-24T12:00:00Z', berlin)).toBe('2026-10-25T08:00:00.000Z');
  });

  test('comes a week later where it has just closed, and all day means all day', () => {
    expect(next('2026-03-01T15:00:00Z', { ...hours, days: { sun: ['09:00', '18:00'] } })).toBe(
      '2026-03-08T06:00:00.000Z',
    );
    expect(next('2026-03-01T22:00:00Z', { ...hours, days: { mon: ['00:00', '00:00'] } })).toBeNull();
  });
});
