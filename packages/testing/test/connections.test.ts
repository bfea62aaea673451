import type { McpTx } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import { http as httpV1, stdio as stdioV1 } from '@mcp-tx/core/sdk-v1';
import { http as httpV2, stdio as stdioV2 } from '@mcp-tx/core/sdk-v2';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, it } from 'vitest';
import { faultyStdio, startFaultyHttpServer } from '../src/faulty-server.ts';

const pay = (tx: McpTx, orderId: string) => tx.tryCallTool('pay', { orderId, amount: 1 }, { idempotencyKey: orderId });
const refusedToConnect = { ok: false, error: { code: 'CONNECTION_FAILED', execution: 'none', retryable: true } };
const quick = {
  timeoutMs: 15_000,
  connectTimeoutMs: 1_500,
  settleGraceMs: 50,
  retry: { baseDelayMs: 10, maxAttempts: 2 },
};

describe.each([
  ['SDK v1', stdioV1, httpV1],
  ['SDK v2', stdioV2, httpV2],
] as const)('a server that is none, with %s', { timeout: 40_000 }, (_line, stdio, http) => {
  it.concurrent.each([
    ['a command that is not there', { command: '/nonexistent/server' }],
    ['a command with a shell’s tricks in it', { command: 'echo hi; true && $(touch x)' }],
    ['a program that exits at once', { command: process.execPath, args: ['-e', 'process.exit(3)'] }],
    [
      'a program that says nothing',
      {
        command: process.execPath,
        args: ['-e', 'setInterval(() => {}, 1e6); process.stdin.on("end", () => process.exit())'],
      },
    ],
  ])('%s: nothing was sent, and the error says so', async (_what, command) => {
    await using tx = createMcpTx({ server: stdio({ ...command, stderr: 'ignore' }), ...quick });
    await expect(tx.initialize()).rejects.toMatchObject(refusedToConnect.error);
    expect(await pay(tx, 'a')).toMatchObject(refusedToConnect);
    expect((await tx.health()).status).toBe('down');
  });

  it.concurrent('a program that prints lines that are no JSON and then speaks: those are skipped, it is usable', async () => {
    const server = faultyStdio({ mode: 'garbage-at-start' });
    await using tx = createMcpTx({ server: stdio({ ...server, stderr: 'ignore' }), ...quick });
    await tx.initialize();
    expect(await pay(tx, 'a')).toMatchObject({ ok: true, meta: { attempts: 1 } });
    expect(server.effects()).toHaveLength(1);
    await tx.close({ graceMs: 0 });
  });

  it.concurrent.each(['silent', 'not-mcp', 'refuse'] as const)('HTTP: %s', async (mode) => {
    await using server = await startFaultyHttpServer({ mode });
    await using tx = createMcpTx({ server: http({ url: server.url }), ...quick });
    await expect(tx.initialize()).rejects.toMatchObject(refusedToConnect.error);
    expect(await pay(tx, 'a')).toMatchObject(refusedToConnect);
  });
});

describe.each([
  ['SDK v1', stdioV1, httpV1],
  ['SDK v2', stdioV2, httpV2],
] as const)('a connection of our own, with %s', { timeout: 40_000 }, (_line, stdio, http) => {
  it('is made once, however many calls come first; a failed start may be repeated', async () => {
    await using server = await startFaultyHttpServer({});
    let refusals = 1;
    const sometimes: typeof fetch = async (...args) => {
      refusals -= 1;
      if (refusals >= 0) throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
      return fetch(...args);
    };
    await using tx = createMcpTx({ server: http({ url: server.url, fetch: sometimes as never }), ...quick });
    await expect(tx.initialize()).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    await tx.initialize();
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => pay(tx, `order-${n}`)));
    expect(all.every((outcome) => outcome.ok)).toBe(true);
    expect((await tx.health()).generation).toBe(1);
  });

  it('starts a dead server anew, and closing leaves no process behind', async () => {
    const server = faultyStdio({ script: [{ tool: 'pay', at: 2, fault: 'exit-before' }] });
    const tx = createMcpTx({ server: stdio({ ...server, stderr: 'ignore' }), ...quick });
    expect(await pay(tx, 'a')).toMatchObject({ ok: true });
    expect(await pay(tx, 'b')).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    expect(await pay(tx, 'c')).toMatchObject({ ok: true });
    expect((await tx.health()).generation).toBe(2);
    await tx.close({ graceMs: 0 });
    const pids = new Set(server.effects().map((effect) => effect.pid));
    expect(pids.size).toBe(2);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('is probed before an unsafe send when it was idle, so that a dead server costs a respawn and not a doubt', async () => {
    const server = faultyStdio({ script: [] });
    await using tx = createMcpTx({ server: stdio({ ...server, stderr: 'ignore' }), ...quick, probeIfIdleMs: 50 });
    await pay(tx, 'a');
    const pid = server.effects()[0]?.pid ?? 0;
    process.kill(pid, 'SIGSTOP'); // alive for the kernel, dead for everybody else
    setTimeout(() => process.kill(pid, 'SIGKILL'), 3_000).unref();
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await pay(tx, 'b')).toMatchObject({ ok: true });
    expect(server.effects().map((effect) => effect.args['orderId'])).toEqual(['a', 'b']);
    await tx.close({ graceMs: 0 });
  });

  it('sends headers that may change, and forwards progress and trace context', async () => {
    await using server = await startFaultyHttpServer({});
    const seen: string[] = [];
    let token = 0;
    const spy: typeof fetch = (url, init) => {
      const headers = new Headers(init?.headers);
      if (typeof init?.body === 'string' && init.body.includes('tools/call'))
        seen.push(`${headers.get('authorization')} ${init.body.includes('00-trace')}`);
      return fetch(url, init);
    };
    const headers = () => {
      token += 1;
      return { authorization: `Bearer ${token > 0}` };
    };
    await using tx = createMcpTx({ server: http({ url: server.url, headers, fetch: spy as never }), ...quick });
    const progress: number[] = [];
    await tx.callTool(
      'progress',
      { steps: 3 },
      { meta: { traceparent: '00-trace' }, onProgress: (p) => progress.push(p.progress) },
    );
    expect(seen).toEqual(['Bearer true true']);
    expect(token).toBeGreaterThan(1);
    expect(progress.length).toBeGreaterThan(0);
  });
});

describe('a client that its owner connected', { timeout: 40_000 }, () => {
  const connect = async (server: ReturnType<typeof faultyStdio>): Promise<Client> => {
    const client = new Client({ name: 'owner', version: '1' });
    await client.connect(new StdioClientTransport({ ...server, stderr: 'ignore' }));
    return client;
  };

  it('is tapped: a lost answer is seen at once, and the owner may reconnect', async () => {
    const server = faultyStdio({ script: [{ tool: 'pay', at: 1, fault: 'exit-after' }] });
    const client = await connect(server);
    await using tx = createMcpTx({ server: client, ...quick });
    expect(await pay(tx, 'a')).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'connection-lost' } });
    expect(await pay(tx, 'b')).toMatchObject(refusedToConnect);
    await client.connect(new StdioClientTransport({ ...server, stderr: 'ignore' }));
    expect(await pay(tx, 'b')).toMatchObject({ ok: true });
    await tx.close();
    expect((await client.listTools()).tools.length).toBeGreaterThan(0); // closing does not close what is not ours
    await client.close();
  });

  it('that copies what it is given never makes a sent call look unsent', async () => {
    const server = faultyStdio({ script: [{ tool: 'pay', at: 1, fault: 'exit-after' }] });
    const client = await connect(server);
    const callTool = client.callTool.bind(client);
    client.callTool = ((params: never, ...rest: never[]) => callTool(structuredClone(params), ...rest)) as never;
    await using tx = createMcpTx({ server: client, ...quick });
    expect(await pay(tx, 'a')).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    expect(server.effects()).toHaveLength(1);
    await client.close();
  });
});

describe('a server that speaks MCP-Tx', { timeout: 40_000 }, () => {
  it.each([
    ['SDK v1', stdioV1],
    ['SDK v2', stdioV2],
  ] as const)('gets the same operation again until it answers: one effect, no doubt (%s)', async (_line, stdio) => {
    const server = faultyStdio({
      aware: true,
      script: [
        { tool: 'pay', fault: 'exit-after' },
        { tool: 'pay', fault: 'drop-response' },
      ],
    });
    await using tx = createMcpTx({
      server: stdio({ ...server, stderr: 'ignore' }),
      ...quick,
      attemptTimeoutMs: 700,
      retry: { maxAttempts: 5, baseDelayMs: 10 },
    });
    const outcome = await pay(tx, 'a');
    expect(outcome).toMatchObject({ ok: true, meta: { guarantee: 'effectively-once', attempts: 3 } });
    expect(server.effects()).toHaveLength(1);
    expect(server.effects()[0]?.operationId).toBe(outcome.ok ? outcome.meta.operationId : '');
    await tx.close({ graceMs: 0 });
  });

  it('sees who is calling; one that does not sees plain MCP', async () => {
    for (const aware of [true, false]) {
      const server = faultyStdio({ aware });
      await using tx = createMcpTx({ server: stdioV1({ ...server, stderr: 'ignore' }), ...quick });
      await pay(tx, 'a');
      expect(server.effects()[0]?.operationId === undefined).toBe(!aware);
      await tx.close();
    }
  });
});
