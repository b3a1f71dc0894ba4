/** `npm run bench -- NAME …`: each prints JSON lines; figures are only ever compared within one run. */
import { backlog } from './backlog.js';
import { conformance } from './conformance.js';
import { limit, limitShared } from './limit.js';
import { memory } from './memory.js';
import { metrics } from './metrics.js';
import { openRig } from './rig.js';
import { sync } from './sync.js';
import { throughput } from './throughput.js';

const benches = {
  throughput,
  limit,
  'limit-shared': limitShared,
  sync,
  backlog,
  memory,
  conformance,
  metrics,
};
type Name = keyof typeof benches;

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (names.length === 0 || unknown.length > 0) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join(' | ')}\n`);
  process.exitCode = 2;
} else {
  const rig = await openRig();
  try {
    // Each name was found among the benches above.
    for (const name of names) await benches[name as Name](rig);
  } finally {
    await rig.close();
  }
}
