// DESIGN 3.4: a status only from this POST; not-sent only when no byte of this attempt left; the legs of a multi-round-trip request are
// one attempt; what never left is not in doubt.
import { describe, expect, it } from 'vitest';
import { LiveClient } from '../../src/connect/live-client.ts';
import type { TransportLike } from '../../src/connect/mcp-client.ts';
import { Tap } from '../../src/connect/tap.ts';
import { Watch } from '../../src/connect/watch.ts';
import { createMcpTx, virtualClock } from '../../src/index.ts';
import { classify } from '../../src/policy/classify.ts';
import { http as httpV1 } from '../../src/sdk-v1.ts';
import { http as httpV2 } from '../../src/sdk-v2.ts';

const rules = { trusted: false, busyMeansNotRun: true, unavailableMeansNotRun: false };
const events = { onFrame() {}, onClose() {}, onEnd() {}, onToolsChanged() {}, onForget() {} };

/** A minimal server in place of `fetch`; `call` answers tools/call. */
function fetchOf(call: (n: number) => Response | Promise<Response>) {
  let calls = 0;
  const json = (body: unknown) =>
    new Response(JSON.stringify(body), { status: 200, headers: { 'content-type': 'application/json' } });
  const fetch = async (_url: string | URL, init?: RequestInit): Promise<Response> => {
    if (init?.method !== 'POST') return new Response(null, { status: 405 });
    const { id, method } = JSON.parse(String(init.body)) as { id?: number; method: string };
    const result = (value: unknown) => json({ jsonrpc: '2.0', id, result: value });
    if (method === 'initialize') {
      const info = {
        protocolVersion: '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 's', version: '1' },
      };
      return result(info);
    }
    if (id === undefined) return new Response(null, { status: 202 });
    if (method === 'tools/list') return result({ tools: [{ name: 'pay', inputSchema: { type: 'object' } }] });
    if (method === 'tools/call') {
      calls += 1;
      const answer = await call(calls);
      return answer.status === 200 ? result({ content: [{ type: 'text', text: 'ok' }] }) : answer;
    }
    return result({});
  };
  return { fetch, calls: () => calls };
}

const reset = (): never => {
  throw Object.assign(new TypeError('fetch failed'), {
    cause: Object.assign(new Error('read'), { code: 'ECONNRESET' }),
  });
};

describe('a status', () => {
  it('[G:I1] of the POST before the SDK re-authenticated says nothing of the POST after it', async () => {
    const { fetch, calls } = fetchOf((n) => (n === 2 ? reset() : new Response(null, { status: n === 1 ? 401 : 200 })));
    const authProvider = { token: async () => 't', onUnauthorized: async () => undefined };
    await using tx = createMcpTx({
      server: httpV2({ url: 'http://127.0.0.1:9/mcp', fetch, authProvider: authProvider as never }),
      settleGraceMs: 0,
      timeoutMs: 5_000,
      retry: { baseDelayMs: 1 },
    });
    const outcome = await tx.tryCallTool('pay', {}, { idempotencyKey: 'k' });
    expect({ sends: calls(), code: outcome.ok ? 'ok' : outcome.error.code }).toEqual({ sends: 2, code: 'IN_DOUBT' });
  });
});

describe('nothing left', () => {
  it.each([
    ['v1', httpV1],
    ['v2', httpV2],
  ] as const)('when the user’s own headers could not be made (SDK %s)', async (_line, http) => {
    const { fetch, calls } = fetchOf(() => new Response(null, { status: 200 }));
    let isBroken = false;
    const headers = async (): Promise<Record<string, string>> => {
      if (isBroken) throw new Error('the token service is away');
      return {};
    };
    await using tx = createMcpTx({
      server: http({ url: 'http://127.0.0.1:9/mcp', fetch, headers }),
      settleGraceMs: 0,
      timeoutMs: 2_000,
      retry: { maxAttempts: 1 },
    });
    await tx.initialize();
    isBroken = true;
    const outcome = await tx.tryCallTool('pay', {}, { idempotencyKey: 'k' });
    expect(calls()).toBe(0);
    expect(outcome).toMatchObject({ ok: false, error: { execution: 'none', retryable: true } });
  });
});

describe('something left', () => {
  it.each([
    ['cannot connect', { message: 'fetch failed', causeCode: 'ECONNREFUSED' }, undefined],
    ['is not connected', { message: 'Not connected' }, undefined],
    ['is refused with 400', { message: 'HTTP 400' }, 400],
  ] as const)('when the second leg of one attempt %s', async (_how, thrown, status) => {
    const transport: TransportLike = { send: async () => undefined, close: async () => undefined };
    const tap = new Tap(transport, events);
    const args = { amount: 1 };
    const watch = new Watch(args, true);
    tap.watch(watch);
    const leg = (id: number) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'pay', arguments: args },
    });
    await transport.send(leg(1) as never);
    transport.onmessage?.({
      jsonrpc: '2.0',
      id: 1,
      result: { resultType: 'input_required', inputRequests: {} },
    } as never);
    await transport.send(leg(2) as never);
    if (status !== undefined) watch.status = status;
    watch.end(undefined, {
      name: 'Error',
      message: thrown.message,
      cause: { code: 'causeCode' in thrown ? thrown.causeCode : undefined },
    });
    expect(classify(watch, rules).class).toBe('unknown');
  });
});

describe('a sign of life', () => {
  it('is not taken from an answer that we made up ourselves when we cancelled', async () => {
    const clock = virtualClock();
    const transport: TransportLike = {
      send: async () => undefined,
      close: async () => undefined,
      onmessage: () => undefined,
    };
    const client = {
      transport,
      callTool: (params: object) => {
        void (transport.send as (message: object) => Promise<void>)({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params,
        });
        return new Promise(() => undefined);
      },
    };
    const live = new LiveClient(client as never, clock, { onClose: () => undefined, onToolsChanged: () => undefined });
    const sending = live.send({ tool: 'pay', arguments: {} } as never);
    await clock.advance(6_000);
    sending.cancel('the caller aborted');
    expect(live.idleMs).toBe(6_000);
  });
});
