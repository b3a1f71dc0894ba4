#!/usr/bin/env node
/** The program: what the verbs of the command line stand on, and the exit code. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { openBase, packageVersion } from '../app.js';
import { runChaos } from '../chaos/chaos.js';
import { type Config, readConfig } from '../config.js';
import { checkDatabase } from '../database/checkup.js';
import { startEmbedded } from '../database/embedded.js';
import { migrate, migrateQueue } from '../database/migrate.js';
import { runDemo } from '../demo/demo.js';
import { createLog } from '../log.js';
import { isForThePerson, runRoles } from '../run.js';
import { systemTime } from '../time.js';
import { type CliDeps, run, WrongUse } from './program.js';
import { simulate } from './simulate.js';

function configuration() {
  const read = readConfig(process.env);
  if (!read.ok) throw new WrongUse(read.message);
  return read.config;
}

/** Expected trouble becomes wrong use or a plain message; anything else keeps its stack. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isForThePerson(error)) throw new WrongUse(error.message);
    throw error;
  }
}

/** Works on the database before anything of packline is opened, and starts the embedded one for as long as that lasts. */
function atDatabase<T>(work: (url: string, config: Config) => Promise<T>): Promise<T> {
  return told(async () => {
    const config = configuration();
    if (config.databaseUrl !== null) return work(config.databaseUrl, config);
    const { dataDir } = config;
    const embedded = await startEmbedded({
      dataDir,
      purpose: 'client',
      log: () => undefined,
      time: systemTime,
    });
    try {
      return await work(embedded.url, config);
    } finally {
      await embedded.stop();
    }
  });
}

async function migrateAll(url: string, log: (line: string) => void): Promise<{ applied: string[] }> {
  const result = await migrate(url, { log });
  await migrateQueue(url);
  return result;
}

const deps: CliDeps = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  time: systemTime,
  isTTY: process.stdout.isTTY === true,
  version: packageVersion(),
  readFile: (path) => (path === '-' ? buffer(process.stdin) : readFile(path)),
  withOperator: (work) =>
    told(async () => {
      const config = configuration();
      // Verbs answer on stdout and explain on stderr; the log would only get in between.
      const log = createLog(process.env.LOG_LEVEL === undefined ? 'error' : config.logLevel);
      const base = await openBase({
        config,
        log,
        time: systemTime,
        purpose: 'client',
        migrate: config.databaseUrl === null,
        name: 'packline cli',
      });
      try {
        return await work(base.operator);
      } finally {
        await base.close();
      }
    }),
  runRoles: (roles, { port, host, accounts, migrate: apply, announce }) =>
    runRoles({
      roles,
      env: process.env,
      migrate: apply,
      overrides: {
        ...(port === undefined ? {} : { port }),
        ...(host === undefined ? {} : { host }),
        ...(accounts === undefined ? {} : { accountsFile: accounts }),
      },
      onReady: (url) => {
        if (announce) process.stdout.write(`packline ready ${url}\n`);
      },
    }),
  checkDatabase: () =>
    atDatabase(async (url, { databaseUrl, redisUrl }) => {
      // The verbs migrate an embedded database themselves.
      if (databaseUrl === null) await migrateAll(url, () => undefined);
      return checkDatabase(url, { queue: redisUrl === null });
    }),
  migrate: () => atDatabase((url) => migrateAll(url, (line) => process.stderr.write(`${line}\n`))),
  simulate,
  chaos: (options, say) => told(() => runChaos(options, process.env, say)),
  demo: (options) =>
    runDemo({
      ...options,
      ...(process.env.LOG_LEVEL === undefined ? {} : { logLevel: configuration().logLevel }),
    }),
};

// A reader that has seen enough (`… | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), deps);
