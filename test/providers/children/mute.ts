/** A server whose machine answers nobody any more once its queue of connections is full. Prints its port; ends when it is killed. */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';

const server = createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 });
await once(server, 'listening');
// A server on a TCP port has an address of this kind.
writeSync(1, `port=${(server.address() as AddressInfo).port}\n`);
// For good: nothing is accepted any more.
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
