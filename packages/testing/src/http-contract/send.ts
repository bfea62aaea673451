/** Sends one HTTP request exactly as a case words it, over a connection of its own. */
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as open } from 'node:http';
import { connect } from 'node:net';

/** A request, as far as a case says something of it. */
export interface Sent {
  readonly method?: string;
  /** Whose token; `null`: none. */
  readonly as?: 'alice' | 'bob' | null;
  /** The Idempotency-Key header; several values are several headers. */
  readonly key?: string | readonly string[];
  /** A value that is `undefined` leaves a header out that would be there. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Text or bytes as they are; everything else as JSON. */
  readonly body?: unknown;
  /** Ends the connection after so many ms. */
  readonly goneAfterMs?: number;
}

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body as JSON; an empty object where it is none. */
  readonly json: Readonly<Record<string, unknown>>;
  /** How long it took, ms. */
  readonly tookMs: number;
}

/** Sends a request and reads the whole answer. */
export async function send(url: string, sent: Sent = {}): Promise<Reply> {
  const startedAt = performance.now();
  const { method = 'GET', goneAfterMs, body } = sent;
  const bytes = bytesOf(body);
  const request = open(url, { method, agent: false, headers: headersOf(sent, bytes) });
  const answered = answer(request);
  if (goneAfterMs !== undefined) setTimeout(() => request.destroy(), goneAfterMs);
  request.end(bytes);
  const response = await answered;
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += String(chunk);
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  const tookMs = performance.now() - startedAt;
  return { status: response.statusCode ?? 0, headers, text, json: jsonOf(text), tookMs };
}

/** Writes bytes on a socket, and gives what came back until the other side closed, or `forMs` passed. */
export async function sendBytes(url: string, text: string, forMs: number): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setEncoding('latin1');
  let got = '';
  socket.on('data', (chunk) => {
    got += String(chunk);
  });
  socket.on('error', () => undefined); // a reset is an answer, too
  socket.write(text, 'latin1');
  const timer = setTimeout(() => socket.destroy(), forMs);
  await once(socket, 'close');
  clearTimeout(timer);
  return got;
}

/** A server that has read enough may answer, and close, while the request is still being written. */
async function answer(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  request.on('error', () => undefined);
  return response;
}

function bytesOf(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined;
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function headersOf(
  { as = 'alice', key, headers = {} }: Sent,
  bytes: Buffer | undefined,
): Record<string, string | string[]> {
  const all: Record<string, string | readonly string[] | undefined> = {
    ...(as === null ? {} : { authorization: `Bearer of-${as}` }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(bytes.length) }),
    ...headers,
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Record<string, string | string[]>;
}

function jsonOf(text: string): Reply['json'] {
  try {
    return JSON.parse(text) as Reply['json'];
  } catch {
    return {};
  }
}
