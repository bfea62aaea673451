/** Proves that every fault of the HTTP server happens as it is described, with the official SDK's client as the witness. */
import { describe, expect, test, vi } from 'vitest';
import type { Fault, FaultName } from '../src/faulty-server.ts';
import { startFaultyHttpServer } from '../src/faulty-server.ts';
import { openHttp } from './support/http-session.ts';
import { PATIENCE_MS, TIMEOUT_MS } from './support/session.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

const TIMED_OUT = { type: 'McpError', code: -32001, message: 'MCP error -32001: Request timed out' };
const fetchFailed = (cause: string) => ({ type: 'TypeError', message: 'fetch failed', cause });
const httpError = (code: number) => ({ type: 'StreamableHTTPError', code });

interface Failing {
  readonly fault: Fault | FaultName;
  readonly error: Record<string, unknown>;
  readonly effects: number;
  /** What reached the client beside the call. */
  readonly stray?: string;
}

const FAILING: readonly Failing[] = [
  { fault: 'drop-request', error: TIMED_OUT, effects: 0 },
  { fault: 'drop-response', error: TIMED_OUT, effects: 1 },
  { fault: 'wrong-id', error: TIMED_OUT, effects: 1, stray: 'unknown message ID' },
  { fault: 'garbage', error: { type: 'SyntaxError' }, effects: 1 },
  { fault: { kind: 'garbage', when: 'before' }, error: { type: 'SyntaxError' }, effects: 0 },
  {
    fault: { kind: 'json-rpc-error', code: -32601, message: 'no' },
    error: { type: 'McpError', code: -32601 },
    effects: 0,
  },
  {
    fault: { kind: 'json-rpc-error', code: -32603, when: 'after' },
    error: { type: 'McpError', code: -32603 },
    effects: 1,
  },
  { fault: 'invalid-content', error: { type: '$ZodError' }, effects: 1 },
  {
    fault: 'expire-session',
    error: { ...httpError(404), message: expect.stringContaining('Session not found') },
    effects: 0,
  },
  { fault: 'reset', error: fetchFailed('ECONNRESET'), effects: 1 },
  { fault: { kind: 'reset', when: 'before' }, error: fetchFailed('ECONNRESET'), effects: 0 },
  { fault: 'close-before-headers', error: fetchFailed('UND_ERR_SOCKET'), effects: 1 },
  { fault: { kind: 'close-before-headers', when: 'before' }, error: fetchFailed('UND_ERR_SOCKET'), effects: 0 },
  { fault: 'cut-json', error: { type: 'TypeError', message: 'terminated', cause: 'UND_ERR_SOCKET' }, effects: 1 },
  { fault: 'cut-sse', error: TIMED_OUT, effects: 1, stray: 'SSE stream disconnected: TypeError: terminated' },
  { fault: { kind: 'cut-sse', when: 'before' }, error: TIMED_OUT, effects: 0, stray: 'terminated' },
  { fault: 'end-sse', error: TIMED_OUT, effects: 1 },
  { fault: { kind: 'end-sse', when: 'before' }, error: TIMED_OUT, effects: 0 },
  { fault: { kind: 'cut-sse-resumable', resume: false }, error: TIMED_OUT, effects: 1, stray: 'Failed to reconnect' },
  { fault: 'accepted-202', error: TIMED_OUT, effects: 1 },
  { fault: { kind: 'accepted-202', when: 'before' }, error: TIMED_OUT, effects: 0 },
  { fault: 'no-content-204', error: httpError(-1), effects: 1 },
  { fault: 'wrong-content-type', error: httpError(-1), effects: 1 },
  { fault: 'invalid-json-200', error: { type: 'SyntaxError' }, effects: 1 },
  { fault: { kind: 'invalid-json-200', body: 'not-json-rpc' }, error: { type: 'ZodError' }, effects: 1 },
  { fault: 'bad-frame', error: TIMED_OUT, effects: 1, stray: 'JSON' },
  { fault: 'stall-headers', error: TIMED_OUT, effects: 1 },
  { fault: { kind: 'stall-headers', when: 'before' }, error: TIMED_OUT, effects: 0 },
];

const STATUSES = [307, 400, 401, 403, 404, 405, 406, 408, 413, 415, 422, 429, 431, 500, 502, 503, 504];

describe.for([{ json: false }, { json: true }])('a fault that fails the call, json: $json', ({ json }) => {
  test.concurrent.for(FAILING)('$fault', async ({ fault, error, effects, stray }) => {
    await using server = await startFaultyHttpServer({ script: [{ tool: 'pay', fault }], json });
    await using session = await openHttp(server);
    const timeoutMs = error === TIMED_OUT ? TIMEOUT_MS : PATIENCE_MS;
    expect(await session.fail('pay', { orderId: 'a', amount: 5 }, { timeoutMs })).toMatchObject(error);
    expect(server.effects()).toHaveLength(effects);
    expect(server.faults()).toMatchObject({
      injected: [{ tool: 'pay', call: 1 }],
      arrivals: [{ tool: 'pay' }],
      unusedSteps: [],
    });
    if (stray !== undefined) expect(session.stray.map(String).join()).toContain(stray);
  });
});

describe.for(['before', 'after'] as const)('a status %s the effect', (when) => {
  test.concurrent.for(STATUSES)('%d', async (status) => {
    await using server = await startFaultyHttpServer({
      script: [{ fault: { kind: 'status', status, when, retryAfter: 3 } }],
    });
    await using session = await openHttp(server);
    expect(await session.fail('pay', { orderId: 'a' })).toMatchObject(httpError(status));
    expect(server.effects()).toHaveLength(when === 'after' ? 1 : 0);
    expect(server.faults().counts).toEqual({ status: 1 });
  });
});
