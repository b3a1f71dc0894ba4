/**
 * Runs before the tests: makes sure that a Redis server can be started. The tests never skip a backend, so a
 * machine without one has to get one, or be told what to install.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Path of a program on PATH, or null. */
export function findProgram(name) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder; the next one may have it.
    }
  }
  return null;
}

/** Path of a server that speaks Redis, or null. */
export function findRedis() {
  return findProgram('redis-server') ?? findProgram('valkey-server');
}

function prepare() {
  if (process.env.REDIS_URL || findRedis() !== null) return 0;
  if (process.getuid?.() !== 0 || findProgram('apt-get') === null) return refuse();
  console.log('prepare-machine: no Redis here; installing the Debian package redis-server for the tests');
  const installed = withoutStartingServices(
    () =>
      run('apt-get', ['update', '--quiet']) &&
      run('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', 'redis-server']),
  );
  return installed && findRedis() !== null ? 0 : refuse();
}

function refuse() {
  console.error(
    'prepare-machine: the tests need a Redis server. Install redis-server or valkey-server (Debian, Ubuntu: ' +
      'apt-get install redis-server; macOS: brew install redis), or set REDIS_URL to one that tests may use.',
  );
  return 1;
}

function run(program, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(program, args, { env, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

/** Debian starts what it installs unless this file forbids it (invoke-rc.d(8)); the tests start their own. */
function withoutStartingServices(install) {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return install();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    rmSync(policy);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = prepare();
