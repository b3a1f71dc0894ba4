/** A process that is killed: how long until what it held goes on, and how everything ends. */
import { ALIVE_KEYS_SQL } from '../../src/database/presence.js';
import { systemTime } from '../../src/time.js';
import { until } from '../helpers/until.js';
import { type Result, resultOf } from './end.js';
import { LOOK_MS, lost, openShop, PATIENCE_MS } from './shop.js';
import type { Case } from './table.js';

const RECOVERED = `
with alive as materialized (${ALIVE_KEYS_SQL})
select not exists (select 1 from packline.operations o where o.state = 'running' and o.owner not in (select key from alive))
  and exists (select 1 from packline.attempts a where a.order_id = $1::uuid and a.owner in (select key from alive)) as yes`;

/** Kills a process at its point, lets another one take over, and waits for the end. */
export async function kill(kase: Case): Promise<Result> {
  const shop = await openShop(kase);
  try {
    const victim = shop.victim();
    const at = await lost(victim);
    await victim.ended;
    const [next] = await Promise.all([shop.send(), shop.takeOver()]);
    const recovered = async () => (await shop.query<{ yes: boolean }>(RECOVERED, next.id))[0]?.yes;
    await until('another order is being called', recovered, PATIENCE_MS, LOOK_MS);
    return await resultOf(shop, at, systemTime.clock.now() - at);
  } finally {
    await shop.close();
  }
}
