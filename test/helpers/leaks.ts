/** Looks for secrets and personal data wherever a packline writes what others than the shop and the provider read. */
import type { JobType } from 'bullmq';
import { PERSON, type TestPackline } from './packline.js';
import { API_KEY, API_SECRET } from './simulator.js';

// Every state in which a queue can keep a job.
const JOB_STATES: JobType[] = [
  'active',
  'completed',
  'delayed',
  'failed',
  'prioritized',
  'waiting',
  'waiting-children',
];

/** Everything that tells of orders without being an order: columns as text. */
const TABLES = `
select 'events' as place, data::text as text from packline.events
union all select 'operations', params::text || carry::text from packline.operations
union all select 'provider data', provider_data::text from packline.orders
union all select 'sealed rows', sku || sealed from packline.deliverables
union all select 'attempts', coalesce(evidence::text, '') || coalesce(data::text, '') || coalesce(code, '') from packline.attempts
union all select 'dead letters', candidates::text || code from packline.dead_letters`;

/**
 * What was found, as sentences; empty where all is well.
 * @param more secrets that this test alone knows of
 */
export async function findLeaks(packline: TestPackline, more: readonly string[] = []): Promise<string[]> {
  const { log, alerts, running } = packline;
  const rows = await running.base.db.query<{ place: string; text: string }>(TABLES);
  const texts = [
    ...log.map((text) => ({ place: 'log', text })),
    ...alerts.map((alert) => ({ place: 'alerts', text: JSON.stringify(alert) })),
    ...(await jobsOf(packline)),
    ...rows,
  ];
  // A search that had nothing to look through would find nothing too.
  for (const place of ['log', 'jobs', 'events', 'attempts']) {
    if (!texts.some((each) => each.place === place)) throw new Error(`nothing was written to the ${place}`);
  }
  return texts.flatMap(({ place, text }) =>
    [...needles(packline), ...more]
      .filter((needle) => text.includes(needle))
      .map((needle) => `${place} hold ${needle}: ${text.slice(0, 2_000)}`),
  );
}

function needles({ stage, running }: TestPackline): string[] {
  const { databaseUrl, encryptionKey } = stage.config;
  const { email, phone, firstName, lastName, line1 } = PERSON;
  return [
    API_KEY,
    API_SECRET,
    running.base.apiKey,
    encryptionKey?.toString('base64') ?? '',
    new URL(databaseUrl ?? '').password,
    email.slice(email.indexOf('@')),
    email.slice(0, email.indexOf('@')),
    phone,
    phone.replaceAll(' ', ''),
    firstName,
    lastName,
    line1,
  ].filter((needle) => needle !== '');
}

async function jobsOf({ running, stage }: TestPackline): Promise<{ place: string; text: string }[]> {
  const jobs = await Promise.all(running.queue.queues().map((queue) => queue.getJobs(JOB_STATES)));
  const texts = jobs.flat().map((job) => ({ place: 'jobs', text: JSON.stringify(job) }));
  if (stage.backend === 'redis') return texts;
  // The PostgreSQL backend keeps no finished jobs, and what happened to them for a while.
  const rows = await running.base.db.query<{ text: string }>(
    'select j::text as text from bullmq.job j union all select e::text from bullmq.event e',
  );
  return [...texts, ...rows.map(({ text }) => ({ place: 'jobs', text }))];
}
