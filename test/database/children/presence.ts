/** A process that lives: DATABASE_URL. Prints its key, and ends when its standard input does. */
import { once } from 'node:events';
import { openPresence } from '../../../src/database/presence.js';
import { systemTime } from '../../../src/time.js';

const [url = ''] = process.argv.slice(2);
const inputEnded = once(process.stdin.resume(), 'end');
const presence = await openPresence(url, {
  applicationName: 'packline test',
  time: systemTime,
  log: (line) => console.error(line),
});
console.log(`key=${presence.key}`);
await inputEnded;
await presence.close();
