/** What this process saw itself, and how it is. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Meter } from './meter.js';

/** The part of a connection pool that is shown. */
export interface Pool {
  totalCount: number;
  idleCount: number;
  waitingCount: number;
}

/** What is told anew at each scrape. */
export interface Scraped {
  pool: Pool;
  /** Whether something of the rows could not be read. */
  failed: boolean;
  /** How old what is told of the rows is, s, by part. */
  ages: ReadonlyMap<string, number>;
}

/** The metrics of one process. */
export interface ProcessMetrics {
  meter: Meter;
  /** In Prometheus' text format. */
  text(scraped: Scraped): Promise<string>;
}

/** Seconds: documented answers take a tenth of a second to some seconds, and 30 is the default time limit. */
const CALL_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60];

/**
 * Metrics in registries of their own, so that two of them in one process stay apart.
 * Labels are bounded: accounts come from the configuration, all other values from closed sets of the sources.
 */
export function createProcessMetrics(): ProcessMetrics {
  // Apart, since what observes the garbage collector cannot be taken away again: it must not hold on to our pool.
  const node = new Registry();
  collectDefaultMetrics({ register: node });
  const own = new Registry();
  const meter = meterOf(own);
  const tell = gaugesOf(own);
  return {
    meter,
    async text(scraped) {
      tell(scraped);
      return `${await own.metrics()}\n${await node.metrics()}`;
    },
  };
}

function meterOf(registry: Registry): Meter {
  const registers = [registry];
  const attempts = new Counter({
    name: 'packline_attempts_total',
    help: 'Calls to providers that this process made, by what was learned.',
    labelNames: ['account', 'provider', 'verb', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'packline_call_duration_seconds',
    help: 'How long calls to providers took, from the request to the end of the answer.',
    labelNames: ['provider', 'verb'],
    buckets: CALL_BUCKETS,
    registers,
  });
  const claims = new Counter({
    name: 'packline_claims_total',
    help: 'Operations that this process claimed, or why it could not.',
    labelNames: ['result'],
    registers,
  });
  const settles = new Counter({
    name: 'packline_settles_total',
    help: 'Operations that this process moved to a state after a call; not applied where another one had moved them.',
    labelNames: ['state', 'applied'],
    registers,
  });
  const jobs = new Counter({
    name: 'packline_jobs_total',
    help: 'Bells of the queue that this process answered, and how: done, again, retry, dead or failed.',
    labelNames: ['account', 'kind', 'result'],
    registers,
  });
  const requests = new Counter({
    name: 'packline_http_requests_total',
    help: 'Requests to this process, by route and class of the status.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  return {
    attempted({ durationMs, ...labels }) {
      attempts.inc(labels);
      const { provider, verb } = labels;
      if (durationMs !== null) durations.observe({ provider, verb }, durationMs / 1_000);
    },
    claimed: (result) => claims.inc({ result }),
    settled: (state, applied) => settles.inc({ state, applied: String(applied) }),
    answered: (bell) => jobs.inc({ ...bell }),
    requested: ({ method, route, status }) =>
      // What is asked for in vain is not known to the sources, so it is no label.
      requests.inc({
        method: route === null ? 'any' : method,
        route: route ?? 'none',
        status: `${Math.floor(status / 100)}xx`,
      }),
  };
}

function gaugesOf(registry: Registry): (scraped: Scraped) => void {
  const registers = [registry];
  const connections = new Gauge({
    name: 'packline_pool_connections',
    help: 'Connections of this process to the database.',
    labelNames: ['state'],
    registers,
  });
  const waiting = new Gauge({
    name: 'packline_pool_waiting',
    help: 'Statements of this process that wait for a connection to the database.',
    registers,
  });
  const failed = new Gauge({
    name: 'packline_collect_failed',
    help: '1 where something of what the rows say could not be read, and is left out here; the log says why.',
    registers,
  });
  const ages = new Gauge({
    name: 'packline_collect_age_seconds',
    help: 'How long ago the rows were read that this part of the metrics tells of.',
    labelNames: ['part'],
    registers,
  });
  return ({ pool, failed: isFailed, ages: told }) => {
    connections.set({ state: 'idle' }, pool.idleCount);
    connections.set({ state: 'used' }, pool.totalCount - pool.idleCount);
    waiting.set(pool.waitingCount);
    failed.set(isFailed ? 1 : 0);
    ages.reset();
    for (const [part, age] of told) ages.set({ part }, age);
  };
}
