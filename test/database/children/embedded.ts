/** A packline, as far as its embedded database goes: DATA_DIR PURPOSE. Leaves when its standard input ends. */
import { once } from 'node:events';
import { DataFolderInUse, startEmbedded } from '../../../src/database/embedded.js';
import { systemTime } from '../../../src/time.js';

const [dataDir = '', purpose = 'owner'] = process.argv.slice(2);
const inputEnded = once(process.stdin.resume(), 'end');
try {
  const embedded = await startEmbedded({
    dataDir,
    purpose: purpose === 'client' ? 'client' : 'owner',
    log: (line) => console.error(line),
    time: systemTime,
  });
  console.log(`ready ${embedded.url} adopted=${embedded.adopted}`);
  await inputEnded;
  await embedded.stop();
} catch (error) {
  if (!(error instanceof DataFolderInUse)) throw error;
  console.log(`refused pid=${error.pid}`);
}
