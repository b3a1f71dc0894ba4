/**
 * A provider in a process of its own that keeps a limit strictly: `limited-provider.js REQUESTS PER_MS FORM HEADERS`.
 * FORM `fixed`: windows one after the other, begun by a first request; `sliding`: no span of PER_MS may hold more.
 * HEADERS `yes`: says in `RateLimit-*` what is left. Prints its port; `GET /_count` tells what came.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [requests, perMs] = process.argv.slice(2, 4).map(Number) as [number, number];
const [form, headers] = process.argv.slice(4);
/** What the other client of the same key sends, told by this header. */
const OTHER = 'x-other-client';

/** Arrival times of what was let through, oldest first, ms. */
const passed: number[] = [];
let first = 0;
let windowStart = Number.NEGATIVE_INFINITY;
let used = 0;
const counts = { ours: 0, oursRefused: 0, others: 0, othersRefused: 0, firstMs: 0, lastMs: 0 };

function admit(now: number): boolean {
  if (form === 'fixed') {
    if (now >= windowStart + perMs) {
      windowStart = now;
      used = 0;
    }
    if (used >= requests) return false;
    used += 1;
    return true;
  }
  while (first < passed.length && (passed[first] ?? 0) <= now - perMs) first += 1;
  if (passed.length - first >= requests) return false;
  passed.push(now);
  return true;
}

function left(now: number): { remaining: number; resetMs: number } {
  if (form === 'fixed') return { remaining: requests - used, resetMs: windowStart + perMs - now };
  return { remaining: requests - (passed.length - first), resetMs: (passed[first] ?? now) + perMs - now };
}

const server = createServer((request, response) => {
  if (request.url === '/_count') {
    response.end(JSON.stringify(counts));
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const now = performance.now();
    const isOther = request.headers[OTHER] !== undefined;
    const admitted = admit(now);
    if (isOther) counts[admitted ? 'others' : 'othersRefused'] += 1;
    else {
      counts[admitted ? 'ours' : 'oursRefused'] += 1;
      if (admitted) {
        counts.firstMs ||= now;
        counts.lastMs = now;
      }
    }
    response.setHeader('content-type', 'application/json');
    if (headers === 'yes') {
      const { remaining, resetMs } = left(now);
      response.setHeader('ratelimit-limit', requests);
      response.setHeader('ratelimit-remaining', remaining);
      response.setHeader('ratelimit-reset', Math.ceil(resetMs / 1_000));
    }
    response.statusCode = admitted ? 200 : 429;
    const body: { orderReferenceId?: unknown } = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}');
    response.end(
      JSON.stringify(
        admitted
          ? { id: `p-${counts.ours}`, orderReferenceId: body.orderReferenceId }
          : { code: 429, message: 'too many' },
      ),
    );
  });
});

server.listen(0, '127.0.0.1', () => {
  // A server that listens on TCP has an address with a port.
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
