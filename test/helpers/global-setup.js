/**
 * Once per jest run. Tests that need PostgreSQL ask this little service where it is; the first one to ask
 * makes it start, so that a run without such tests pays nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Starts the process that holds the database; its first line of output tells where that is. */
async function startDatabase(state) {
  const args = ['--no-warnings', '--import', file('./typescript.js'), file('./database-process.ts')];
  // Its standard input ends with this process, however that ends; then it stops the database.
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  state.child = child;
  const first = once(createInterface({ input: child.stdout }), 'line').then(([line]) => line);
  const ended = once(child, 'exit').then(([code]) =>
    JSON.stringify({ error: `the test database ended with code ${code}; see its message above` }),
  );
  return Promise.race([first, ended]);
}

export default async function setup() {
  const state = { child: null, service: null };
  let database = null;
  state.service = createServer(async (socket) => {
    // A test that gave up waiting has closed its end; that is its own failure, not the run's.
    socket.on('error', () => socket.destroy());
    database ??= startDatabase(state);
    socket.end(await database);
  });
  state.service.listen(0, '127.0.0.1');
  await once(state.service, 'listening');
  process.env.PACKLINE_TEST_DATABASE_SERVICE = String(state.service.address().port);
  globalThis.packlineTestDatabase = state;
}
