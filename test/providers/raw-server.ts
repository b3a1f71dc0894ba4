import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** One request as it came over the wire. */
export interface RawRequest {
  /** Which request of the server this is, from 1. */
  number: number;
  method: string;
  path: string;
  /** Head and body as text. */
  text: string;
  socket: Socket;
}

/** A server that speaks bytes, so that it can misbehave in ways that no HTTP library would. */
export interface RawServer {
  /** `http://127.0.0.1:port`. */
  url: string;
  requests: RawRequest[];
  /** How often a request with this path has come. */
  count(path: string): number;
  /** Bytes of all connections. */
  bytes: number;
  connections: Socket[];
  close(): Promise<void>;
}

/** @param answer called with each whole request, to write, stay silent or hang up */
export async function rawServer(answer: (request: RawRequest) => void): Promise<RawServer> {
  const server = createServer({ noDelay: true });
  const raw: RawServer = {
    url: '',
    requests: [],
    count: (path) => raw.requests.filter((request) => request.path === path).length,
    bytes: 0,
    connections: [],
    async close() {
      for (const socket of raw.connections) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('connection', (socket) => {
    raw.connections.push(socket);
    // A client that hangs up is what some tests are about.
    socket.on('error', () => socket.destroy());
    let waiting = '';
    socket.on('data', (chunk) => {
      raw.bytes += chunk.length;
      waiting += chunk.toString('latin1');
      for (let size = wholeRequest(waiting); size > 0; size = wholeRequest(waiting)) {
        const request = parse(waiting.slice(0, size), raw.requests.length + 1, socket);
        waiting = waiting.slice(size);
        raw.requests.push(request);
        answer(request);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo;
  raw.url = `http://127.0.0.1:${port}`;
  return raw;
}

/** The length of the first request in `text`, or 0 where it is not there wholly. */
function wholeRequest(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, head));
  const size = head + 4 + Number(length?.[1] ?? 0);
  return text.length >= size ? size : 0;
}

function parse(text: string, number: number, socket: Socket): RawRequest {
  const [method = '', path = ''] = text.split(' ', 2);
  return { number, method, path, text, socket };
}

/** An answer with a length, on a connection that stays open. */
export function answerText(
  body: string | Buffer,
  options: { status?: string; headers?: string[] } = {},
): Buffer {
  const { status = '200 OK', headers = [] } = options;
  const bytes = Buffer.from(body);
  const head = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${bytes.length}`, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head), bytes]);
}
