/** Proves what the HTTP server does beyond failing one call: answers that are wrong but accepted, sessions, streams that resume, its modes. */
import { describe, expect, test, vi } from 'vitest';
import type { Fault, FaultName, FaultyHttpServer } from '../src/faulty-server.ts';
import { startFaultyHttpServer } from '../src/faulty-server.ts';
import { openHttp } from './support/http-session.ts';
import { PATIENCE_MS, TIMEOUT_MS } from './support/session.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

const RESOLVING: readonly { readonly fault: Fault | FaultName; readonly result: Record<string, unknown> }[] = [
  { fault: 'is-error', result: { isError: true } },
  { fault: 'no-content', result: { content: [] } },
  { fault: 'task-result', result: { content: [], task: { taskId: 'task-1' } } },
  { fault: { kind: 'result-type', value: 'task' }, result: { content: [], resultType: 'task' } },
  { fault: 'huge-result', result: { content: [{ type: 'text', text: expect.stringMatching(/^x{1000}/) }] } },
  { fault: 'double-answer', result: { content: [{ type: 'text' }] } },
  { fault: 'cut-sse-resumable', result: { content: [{ type: 'text' }] } },
  { fault: { kind: 'delay', ms: 20 }, result: { content: [{ type: 'text' }] } },
  { fault: { kind: 'delay', ms: 20, when: 'before' }, result: { content: [{ type: 'text' }] } },
];

describe.for([{ json: false }, { json: true }])('a fault that the call survives, json: $json', ({ json }) => {
  test.concurrent.for(RESOLVING)('$fault', async ({ fault, result }) => {
    await using server = await startFaultyHttpServer({ script: [{ fault }], json });
    await using session = await openHttp(server);
    expect(await session.call('pay', { orderId: 'a' })).toMatchObject(result);
    expect(server.effects()).toHaveLength(1);
    expect(server.faults().injected).toHaveLength(1);
  });
});

test.concurrent('a late answer after the timeout belongs to nobody', async () => {
  await using server = await startFaultyHttpServer({ script: [{ fault: { kind: 'delay', ms: 600, when: 'before' } }] });
  await using session = await openHttp(server);
  await session.fail('pay', { orderId: 'a' }, { timeoutMs: TIMEOUT_MS });
  expect(server.effects()).toEqual([]);
  await vi.waitFor(() => expect(session.stray.map(String).join()).toContain('unknown message ID'), PATIENCE_MS);
  expect(server.effects()).toHaveLength(1);
});

test.concurrent('an expired session is dead for its client, and a new client works', async () => {
  await using server = await startFaultyHttpServer({ script: [{ tool: 'pay', fault: 'expire-session' }] });
  await using session = await openHttp(server);
  expect(await session.fail('pay', { orderId: 'a' })).toMatchObject({ code: 404 });
  expect(await session.fail('pay', { orderId: 'a' })).toMatchObject({ code: 404 });
  expect(await session.fail('echo')).toMatchObject({ code: 404 });
  expect(server).toMatchObject({ sessions: 0, staleRequests: 2 });
  await using other = await openHttp(server);
  await other.call('pay', { orderId: 'a' });
  expect(server.sessions).toBe(1);
  expect(server.faults()).toMatchObject({
    counts: { 'expire-session': 1 },
    arrivals: [{ tool: 'pay' }, { tool: 'pay' }],
  });
  server.expireSessions();
  expect(await other.fail('echo')).toMatchObject({ code: 404 });
});

test.concurrent('progress comes over the stream of a call that a fault strikes later', async () => {
  await using server = await startFaultyHttpServer({ script: [{ fault: 'drop-response' }] });
  await using session = await openHttp(server);
  const seen: number[] = [];
  const onprogress = ({ progress }: { readonly progress: number }): void => void seen.push(progress);
  const call = session.client.callTool({ name: 'progress', arguments: { steps: 2 } }, undefined, {
    onprogress,
    timeout: 800,
  });
  await expect(call).rejects.toMatchObject({ code: -32001 });
  expect(seen).toEqual([1, 2]);
});

/** Sends a bare `tools/call` and returns the response, to look at what the SDK hides. */
async function bareCall(server: FaultyHttpServer, session: string): Promise<Response> {
  return await fetch(server.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-session-id': session,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'pay', arguments: { orderId: 'a' } },
    }),
    redirect: 'manual',
  });
}

test.concurrent('statuses carry their headers', async () => {
  await using server = await startFaultyHttpServer({
    script: [
      { fault: { kind: 'status', status: 429, retryAfter: 3 } },
      { fault: { kind: 'status', status: 503, retryAfter: 'Sun, 06 Nov 2033 08:49:37 GMT' } },
      { fault: { kind: 'status', status: 308 } },
      { fault: { kind: 'status', status: 302, location: '/other', body: { moved: true } } },
    ],
  });
  await using session = await openHttp(server);
  const id = (session.client.transport as { sessionId?: string }).sessionId ?? '';
  expect((await bareCall(server, id)).headers.get('retry-after')).toBe('3');
  expect((await bareCall(server, id)).headers.get('retry-after')).toContain('2033');
  expect((await bareCall(server, id)).headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:9\//);
  const moved = await bareCall(server, id);
  expect([moved.status, moved.headers.get('location'), await moved.json()]).toEqual([302, '/other', { moved: true }]);
  expect((await bareCall(server, 'nobody')).status).toBe(404);
});

test.concurrent('not a call: what is no JSON, and what has no session, is refused and not counted', async () => {
  await using server = await startFaultyHttpServer({ script: [{ fault: 'drop-request' }] });
  expect((await fetch(server.url, { method: 'POST', body: 'no json' })).status).toBe(400);
  expect((await fetch(server.url)).status).toBe(400);
  expect(server.faults()).toMatchObject({ arrivals: [], unusedSteps: [{ index: 0, kind: 'drop-request' }] });
});

describe('a server that cannot be connected to', () => {
  test.concurrent('refuse', async () => {
    await using server = await startFaultyHttpServer({ mode: 'refuse' });
    await expect(openHttp(server)).rejects.toMatchObject({ message: 'fetch failed', cause: { code: 'ECONNREFUSED' } });
  });

  test.concurrent('silent', async () => {
    await using server = await startFaultyHttpServer({ mode: 'silent' });
    await expect(openHttp(server, 200)).rejects.toMatchObject({ code: -32001 });
  });

  test.concurrent('not-mcp', async () => {
    await using server = await startFaultyHttpServer({ mode: 'not-mcp' });
    await expect(openHttp(server)).rejects.toMatchObject({ code: -1, message: expect.stringContaining('text/html') });
  });
});

test.concurrent('closing does not wait for calls that are still open, and they have no effect any more', async () => {
  const server = await startFaultyHttpServer({ script: [{ tool: 'pay', fault: 'drop-request' }] });
  await using session = await openHttp(server);
  const open = [session.fail('pay', { orderId: 'a' }), session.fail('slow', { ms: 300, orderId: 'b' })].map((call) =>
    call.catch((error: unknown) => error),
  );
  await vi.waitFor(() => expect(server.faults().arrivals).toHaveLength(2), PATIENCE_MS);
  await server.close();
  await server.close();
  await expect(fetch(server.url)).rejects.toThrow('fetch failed');
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(server.effects()).toEqual([]);
  await session.client.close();
  await Promise.all(open);
});

test('a script that would end the test itself is refused', async () => {
  await expect(startFaultyHttpServer({ script: [{ fault: 'exit-after' }] })).rejects.toThrow(TypeError);
  await expect(startFaultyHttpServer({ script: [{ fault: 'half-line' }] })).rejects.toThrow('half-line is for stdio');
});
