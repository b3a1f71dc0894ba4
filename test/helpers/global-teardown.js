import { once } from 'node:events';

/** Stops what global-setup.js has started, and waits until it is gone. */
export default async function teardown() {
  const { service, child } = globalThis.packlineTestDatabase;
  service.close();
  if (child === null || child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.stdin.end();
  await ended;
}
