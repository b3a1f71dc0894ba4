/** When somebody takes orders, by the clock of a place: how a configuration says it, and when they open next. */
import { z } from 'zod';

const timeOfDay = z.string().regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time of day as HH:MM');

/** From and until. An end that is not after its begin is on the next day. */
const dayHours = z.tuple([timeOfDay, timeOfDay]).optional();

/** The seven days, from Sunday as JavaScript counts. */
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/**
 * The schema of the setting. Closed on days that are not there.
 * @param timezone a name of the IANA time zone database, for whoever gives none
 */
export const openingHours = (timezone: string) =>
  z.strictObject({
    timezone: z
      .string()
      .refine(isTimeZone, `must be an IANA time zone such as ${timezone}`)
      .default(timezone),
    days: z
      .strictObject({
        sun: dayHours,
        mon: dayHours,
        tue: dayHours,
        wed: dayHours,
        thu: dayHours,
        fri: dayHours,
        sat: dayHours,
      })
      .refine(
        (days) => Object.values(days).some((day) => day !== undefined),
        'must give the hours of at least one day',
      ),
  });
export type OpeningHours = z.output<ReturnType<typeof openingHours>>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    // The only way in which Intl says that it does not know a zone.
    return false;
  }
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/**
 * When the window opens next, epoch ms; null where it should be open by these hours (so that they do not say
 * when it will be), or never opens.
 * @param now epoch ms
 */
export function nextOpening({ timezone, days }: OpeningHours, now: number): number | null {
  const local = new Date(now + offsetAt(now, timezone));
  // From yesterday, whose window may reach into today, to the same day of the next week.
  for (let ahead = -1; ahead <= DAYS.length; ahead += 1) {
    const date = Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate() + ahead);
    const day = DAYS[new Date(date).getUTCDay()];
    const hours = day === undefined ? undefined : days[day];
    if (hours === undefined) continue;
    const [from, until] = [minutesOf(hours[0]), minutesOf(hours[1])];
    const opens = instantOf(date + from * MINUTE_MS, timezone);
    const closes = instantOf(date + (until > from ? until : until + DAY_MINUTES) * MINUTE_MS, timezone);
    if (opens > now) return opens;
    if (now < closes) return null;
  }
  return null;
}

function minutesOf(time: string): number {
  const [hours = '', minutes = ''] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

/** The moment at which a clock of the zone shows this local time (written as if it were UTC). */
function instantOf(localMs: number, timezone: string): number {
  const near = localMs - offsetAt(localMs, timezone);
  return localMs - offsetAt(near, timezone);
}

/** How far the zone's clock is ahead of UTC at a moment, ms. */
function offsetAt(at: number, timezone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const shown = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return shown - Math.floor(at / 1_000) * 1_000;
}
