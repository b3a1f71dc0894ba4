/** Moments as Salla writes them: in the time of Riyadh, which is UTC+3 all the year. */

const OFFSET_MS = 3 * 3_600_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The object that stands for a date in all answers. */
export function renderDate(ms: number) {
  const iso = new Date(ms + OFFSET_MS).toISOString();
  return { date: `${iso.slice(0, 10)} ${iso.slice(11, 23)}000`, timezone_type: 3, timezone: 'Asia/Riyadh' };
}

/** The text that dates an event, such as `Sun Jan 29 2023 21:16:38 GMT+0300`. */
export function renderEventDate(ms: number): string {
  const [day = '', date, month, year, time] = new Date(ms + OFFSET_MS).toUTCString().split(' ');
  return `${day.slice(0, 3)} ${month} ${date} ${year} ${time} GMT+0300`;
}

/** When a day (`YYYY-MM-DD`) begins in the store, in milliseconds since the epoch; undefined: it is none. */
export function startOfDay(text: string): number | undefined {
  const ms = DAY.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms - OFFSET_MS;
}
