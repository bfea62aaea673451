// A kernel behind node:http: raw and already read bodies, clients that go, streams that nobody reads.
import type { IncomingMessage } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import type { HttpKernel, KernelRequest, KernelResponse } from '../../src/http.ts';
import { createNodeHandler } from '../../src/http.ts';

type Answer = (request: KernelRequest<IncomingMessage>) => KernelResponse | Promise<KernelResponse>;

/** A kernel that answers as the test says. */
function kernelOf(answer: Answer): HttpKernel<IncomingMessage> {
  return {
    handle: async (asked: KernelRequest<IncomingMessage>) => answer(asked),
  } as unknown as HttpKernel<IncomingMessage>;
}

async function served(answer: Answer, prepare: (request: IncomingMessage) => Promise<void> = async () => undefined) {
  const handle = createNodeHandler(kernelOf(answer), { mount: '/mcp' });
  const server = createServer(async (asked, response) => {
    await prepare(asked);
    await handle(asked, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, [Symbol.dispose]: () => server.close().closeAllConnections() };
}

const text = (body: string): KernelResponse => ({ status: 200, headers: { 'content-type': 'text/plain' }, body });

it('hands over method, path, mount, query and the raw body, and writes the whole answer with its length', async () => {
  const seen: unknown[] = [];
  using server = await served(async ({ method, path, mount, query, body }) => {
    let bytes = '';
    for await (const chunk of body as AsyncIterable<Uint8Array>) bytes += Buffer.from(chunk).toString();
    seen.push({ method, path, mount, query, bytes });
    return text('äö');
  });
  const answer = await fetch(`${server.url}/mcp/execute/a%2Fb?x=1&x=2`, { method: 'POST', body: '{"a":1}' });
  expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([200, '4', 'äö']);
  expect(seen).toEqual([{ method: 'POST', path: '/execute/a%2Fb', mount: '/mcp', query: 'x=1&x=2', bytes: '{"a":1}' }]);
});

it('uses what a framework has read: its bytes before the value that it made of them', async () => {
  const bodies: unknown[] = [];
  let kept: object = {};
  const read = async (asked: IncomingMessage): Promise<void> => {
    for await (const _ of asked);
    Object.assign(asked, kept);
  };
  using server = await served(({ body }) => {
    bodies.push(body);
    return text('ok');
  }, read);
  for (kept of [{ body: { a: 1 } }, { body: { a: 1 }, rawBody: Buffer.from('{"a": 1}') }, { body: 'text' }]) {
    await fetch(`${server.url}/mcp/execute/x`, { method: 'POST', body: '{}' });
  }
  expect(bodies).toEqual([{ parsed: { a: 1 } }, Buffer.from('{"a": 1}'), 'text']);
});

it('aborts the signal when the client goes early, and not when it has its answer', async () => {
  const signals: AbortSignal[] = [];
  let finish = (): void => undefined;
  using server = await served(async ({ signal, path }) => {
    signals.push(signal as AbortSignal);
    if (path !== '/quick') await new Promise<void>((resolve) => (finish = resolve));
    return text('ok');
  });
  const gone = request(`${server.url}/mcp/slow`).on('error', () => undefined);
  gone.end();
  await expect.poll(() => signals.length).toBe(1);
  gone.destroy();
  await expect.poll(() => signals[0]?.aborted).toBe(true);
  finish(); // an answer that nobody hears is no error
  await (await fetch(`${server.url}/mcp/quick`)).text();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
});

it('writes a stream no faster than it is read, and ends it when the reader goes', async () => {
  let made = 0;
  let ended = false;
  async function* events(): AsyncGenerator<string> {
    try {
      for (; made < 100_000; made += 1) yield 'x'.repeat(10_000);
    } finally {
      ended = true;
    }
  }
  using server = await served(() => ({ status: 200, headers: {}, body: events() }));
  const reading = request(`${server.url}/mcp/events`, (answer) => answer.pause()).on('error', () => undefined);
  reading.end();
  await expect.poll(() => made).toBeGreaterThan(10);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = made;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(made).toBe(before); // nobody reads
  expect(made).toBeLessThan(100_000);
  reading.destroy();
  await expect.poll(() => ended).toBe(true);
});

it('HEAD has the headers and no body', async () => {
  using server = await served(() => text('never told'));
  const answer = await fetch(`${server.url}/mcp/livez`, { method: 'HEAD' });
  expect([answer.status, await answer.text()]).toEqual([200, '']);
});
