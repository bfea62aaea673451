// Real clients of both SDK lines before a real server of SDK v1, over an in-memory pair.
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import { createMcpTx } from '../../src/index.ts';

const key = { idempotencyKey: 'order:42' };
const options = {
  timeoutMs: 5_000,
  sweepIntervalMs: 0,
  retry: { baseDelayMs: 30, maxAttempts: 5, jitter: 'none' },
} as const;

interface Run {
  readonly signal: AbortSignal;
  answer(): void;
}

/** Connects a client to a new server whose tool ends when the test says so. */
async function connect(client: ClientV1 | ClientV2, runs: Run[]): Promise<void> {
  const server = new Server({ name: 'real', version: '1' }, { capabilities: { tools: {} } });
  const inputSchema = { type: 'object' } as const;
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [{ name: 'pay', inputSchema }] }));
  server.setRequestHandler(CallToolRequestSchema, async (_request, { signal }) => {
    await new Promise<void>((resolve) => runs.push({ signal, answer: resolve }));
    return { content: [{ type: 'text', text: 'paid' }] };
  });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  await client.connect(near as never);
}

const until = async (isSo: () => boolean): Promise<void> => {
  for (let n = 0; n < 500 && !isSo(); n += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isSo()).toBe(true);
};

describe.each([
  ['SDK v1', () => new ClientV1({ name: 'owner', version: '1' })],
  ['SDK v2', () => new ClientV2({ name: 'owner', version: '1' })],
] as const)('with %s', (_line, make) => {
  async function started(more: object = {}, call: object = {}) {
    const runs: Run[] = [];
    const client = make();
    await connect(client, runs);
    const tx = createMcpTx({ server: client, ...options, ...more });
    const abort = new AbortController();
    const calling = tx.tryCallTool('pay', {}, { ...key, signal: abort.signal, ...call });
    await until(() => runs.length === 1);
    return { runs, client, tx, abort, calling };
  }

  it('onAbort cancel tells the server: its handler’s signal aborts, and the operation is in doubt', async () => {
    const { runs, tx, abort, calling } = await started({}, { onAbort: 'cancel' });
    abort.abort();
    const aborted = { ok: false, error: { code: 'IN_DOUBT', reason: 'aborted', execution: 'unknown' } };
    expect(await calling).toMatchObject(aborted);
    await until(() => runs[0]?.signal.aborted === true);
    runs[0]?.answer(); // the server does not send the answer of what was cancelled
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({ ...aborted, error: { meta: { duplicate: true } } });
    expect(runs).toHaveLength(1);
    await tx.close({ graceMs: 0 });
  });

  it('by default an abort tells the server nothing, and its answer is kept', async () => {
    const { runs, tx, abort, calling } = await started();
    abort.abort();
    expect(await calling).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'aborted' } });
    runs[0]?.answer();
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({ ok: true, meta: { duplicate: true } });
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([false]);
    await tx.close({ graceMs: 0 });
  });

  it('a client whose owner reconnects it in mid-call: what was under way is in doubt at once, the next call goes through', async () => {
    const { runs, client, tx, calling } = await started();
    await client.close();
    await connect(client, runs);
    expect(await calling).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'connection-lost' } });
    const next = tx.tryCallTool('pay', {}, { idempotencyKey: 'order:43' });
    await until(() => runs.length === 2);
    runs[1]?.answer();
    expect(await next).toMatchObject({ ok: true, meta: { attempts: 1 } });
    expect((await tx.health()).generation).toBe(2);
    await tx.close({ graceMs: 0 });
  });

  it('a client whose owner reconnects it in mid-call: what may be sent again is sent again over the new connection', async () => {
    const { runs, client, tx, calling } = await started({ tools: { pay: { idempotent: true } } });
    await client.close();
    await connect(client, runs);
    await until(() => runs.length === 2);
    runs[1]?.answer();
    expect(await calling).toMatchObject({ ok: true, meta: { attempts: 2 } });
    await tx.close({ graceMs: 0 });
  });
});
