/** An instant provider in a process of its own: takes any order, answers at once. Prints its port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

let count = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    count += 1;
    const body: { orderReferenceId?: unknown } =
      chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        id: `p-${count}`,
        orderReferenceId: body.orderReferenceId,
        createdAt: '2026-01-01T00:00:00+00:00',
      }),
    );
  });
});

server.listen(0, '127.0.0.1', () => {
  // A server that listens on TCP has an address with a port.
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
