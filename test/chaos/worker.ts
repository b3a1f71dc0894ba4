/**
 * A fulfilment process that loses itself: `worker.ts <holds> <signal>`, where `holds` is a JSON list of `Hold`s. Each
 * operation stands still at its point until all do; with the last one's coming the process is lost. Killed it is gone;
 * stopped and continued it goes on as if nothing had been, and ends on SIGTERM.
 */
import { writeSync } from 'node:fs';
import { readConfig } from '../../src/config.js';
import type { At } from '../../src/fulfil/points.js';
import { createLog } from '../../src/log.js';
import { startProcess } from '../../src/process.js';
import { systemTime } from '../../src/time.js';
import type { Hold } from './shop.js';

const STDOUT = 1;
// Written by the test that starts this program.
const holds = JSON.parse(process.argv[2] ?? '[]') as Hold[];
const signal = process.argv[3];
if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') throw new Error(`no signal of these tests: ${signal}`);

const last = holds.at(-1);
const passed = new Map<string, number>();
let missing = holds.length - 1;
let began = false;
let gather: () => void = () => undefined;
const gathered = new Promise<void>((resolve) => {
  gather = resolve;
});
let thaw: () => void = () => undefined;
const thawed = new Promise<void>((resolve) => {
  thaw = resolve;
});
if (missing === 0) gather();

const at: At = (point, operationId) => {
  const hold = holds.find((one) => one.operationId === operationId);
  if (hold === undefined) return undefined;
  // The last one waits where it holds nothing, so that it still has its time to send when its turn comes.
  if (hold === last && point === 'gate.before' && !began) {
    began = true;
    return gathered.then(() => arrive(hold, point));
  }
  return arrive(hold, point);
};

function arrive(hold: Hold, point: string): Promise<void> | undefined {
  if (hold.point !== point) return undefined;
  const times = (passed.get(hold.operationId) ?? 0) + 1;
  passed.set(hold.operationId, times);
  if (times < hold.passing) return undefined;
  if (hold !== last) {
    if (times === hold.passing) missing -= 1;
    if (missing === 0) gather();
    // Another bell of the same operation waits with it.
    return thawed;
  }
  if (times > hold.passing) return undefined;
  // Written at once: what a stream holds back dies with the process.
  writeSync(STDOUT, `lost ${systemTime.clock.now()}\n`);
  // A signal to oneself has arrived when the call returns (POSIX, kill()).
  process.kill(process.pid, signal as NodeJS.Signals);
  thaw();
  return undefined;
}

const read = readConfig(process.env);
if (!read.ok) throw new Error(read.message);
const running = await startProcess({
  config: read.config,
  roles: ['fulfilment'],
  migrate: false,
  log: createLog(read.config.logLevel),
  time: systemTime,
  env: {},
  onFatal: (reason) => {
    throw new Error(reason);
  },
  at,
});
process.once('SIGTERM', () => void running.stop());
