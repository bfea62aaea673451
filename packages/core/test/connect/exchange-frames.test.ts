import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { describe, expect, it } from 'vitest';
import type { McpTxOptions } from '../../src/index.ts';
import { createMcpTx } from '../../src/index.ts';
import type { WireServer } from '../support/wire-server.ts';
import { OK, wireServer } from '../support/wire-server.ts';

const over = ({ client }: WireServer, options: Partial<McpTxOptions> = {}) =>
  createMcpTx({ server: client, sweepIntervalMs: 0, timeoutMs: 5_000, settleGraceMs: 0, ...options });
const text = (of: string) => ({ content: [{ type: 'text', text: of }] });

describe('frames of our own', () => {
  it('stand beside those of the client’s owner: neither takes the other’s answers, and nobody complains', async () => {
    const server = await wireServer(({ id, params }, wire) => {
      const { arguments: args } = params as { arguments: { n: string } };
      setImmediate(() => wire.send({ id: id ?? '', result: text(args.n) }));
    });
    await using one = over(server);
    await using two = over(server);
    const called = await Promise.all([
      one.callTool('pay', { n: 'one' }),
      server.client.callTool({ name: 'pay', arguments: { n: 'owner' } }),
      two.callTool('pay', { n: 'two' }),
    ]);
    expect([called[0].result, called[1], called[2].result]).toEqual([text('one'), text('owner'), text('two')]);
    expect(server.frames.map(({ id }) => typeof id).sort()).toEqual(['number', 'string', 'string']);
    expect(server.complaints).toEqual([]);
  });

  it('are answered by the first answer; a second one changes nothing', async () => {
    const server = await wireServer(({ id }, wire) => {
      wire.send({ id: id ?? '', result: text('first') });
      wire.send({ id: id ?? '', error: { code: -32_601, message: 'no such tool' } });
    });
    await using tx = over(server);
    expect((await tx.callTool('pay')).result).toEqual(text('first'));
    expect((await tx.callTool('pay')).result).toEqual(text('first'));
  });

  it.each([
    ['a result and an error', { result: OK, error: { code: -32_601, message: 'x' } }, { ok: true }],
    ['a result and no error', { result: OK, error: null }, { ok: true }],
    [
      'an error and no result',
      { result: null, error: { code: -32_601, message: 'x' } },
      { error: { code: 'REJECTED' } },
    ],
    ['neither', {}, { error: { code: 'IN_DOUBT', reason: 'timeout' } }],
  ])('an answer with %s is judged by what may have run', async (_what, answer, expected) => {
    const server = await wireServer(({ id }, wire) => wire.send({ id: id ?? '', ...answer }));
    await using tx = over(server, { timeoutMs: 100 });
    expect(await tx.tryCallTool('pay')).toMatchObject(expected);
  });

  it('carry what the caller wants under _meta, and progress goes to the call it is about', async () => {
    const server = await wireServer(({ id, params }, wire) => {
      const { progressToken } = (params?.['_meta'] ?? {}) as { progressToken?: string };
      for (const progress of [1, 'much', 2]) {
        const about = { progressToken: progressToken ?? 'nobody', progress };
        wire.send({ method: 'notifications/progress', params: about });
      }
      wire.send({ id: id ?? '', result: OK });
    });
    await using tx = over(server);
    const heard: number[] = [];
    const meta = { traceparent: '00-trace' };
    const fails = () => {
      throw new Error('a listener with a defect');
    };
    await Promise.all([
      tx.callTool('pay', {}, { meta, onProgress: ({ progress }) => heard.push(progress) }),
      tx.callTool('pay', {}, { onProgress: fails }),
    ]);
    expect(heard).toEqual([1, 2]);
    expect(server.frames[0]?.params).toMatchObject({ _meta: { traceparent: '00-trace' } });
    expect(meta).toEqual({ traceparent: '00-trace' });
    expect(server.complaints).toEqual([]);
  });

  it('are cancelled by their own id, and only when the caller said so', async () => {
    const server = await wireServer(() => undefined);
    await using tx = over(server);
    const abort = new AbortController();
    const call = tx.tryCallTool('pay', {}, { signal: abort.signal, onAbort: 'cancel' });
    await new Promise(setImmediate);
    abort.abort();
    expect(await call).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    await new Promise(setImmediate);
    const [sent, cancelled] = server.frames;
    expect(cancelled).toMatchObject({ method: 'notifications/cancelled', params: { requestId: sent?.id } });
  });
});

describe('what the SDK’s client would have refused', () => {
  it('a tool that runs as a task only is refused, and nothing is sent', async () => {
    const server = await wireServer(undefined, [{ name: 'pay', execution: { taskSupport: 'required' } }]);
    await using tx = over(server);
    const outcome = await tx.tryCallTool('pay', {}, { idempotencyKey: 'k' });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'REJECTED', execution: 'none' } });
    expect(server.frames).toEqual([]);
  });

  const outputSchema = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] };
  it.each([
    ['another shape than the outputSchema', { ...OK, structuredContent: { id: 7 } }, /structuredContent|\/id/],
    ['no structuredContent at all', OK, /outputSchema/],
  ])('a result with %s: it ran, and cannot be used', async (_what, result, message) => {
    const server = await wireServer(
      ({ id }, wire) => wire.send({ id: id ?? '', result }),
      [{ name: 'pay', outputSchema }],
    );
    await using tx = over(server);
    for (const duplicate of [false, true]) {
      const outcome = await tx.tryCallTool('pay', {}, { idempotencyKey: 'k' });
      const error = { code: 'RESULT_UNUSABLE', execution: 'done', message: expect.stringMatching(message) };
      expect(outcome).toMatchObject({ ok: false, error: { ...error, meta: { duplicate } } });
    }
  });

  it.each([
    ['that fits the outputSchema', { ...OK, structuredContent: { id: 'a' } }],
    ['that says isError', { ...OK, isError: true }],
  ])('a result %s is taken', async (_what, result) => {
    const server = await wireServer(
      ({ id }, wire) => wire.send({ id: id ?? '', result }),
      [{ name: 'pay', outputSchema }],
    );
    await using tx = over(server);
    expect((await tx.callTool('pay')).result).toEqual(result);
  });

  it.each([
    { content: 'ok' },
    { content: ['ok'] },
    { content: [{ text: 'ok' }] },
    { content: [{ type: 'text' }] },
    { content: [{ type: 'image', data: 'AAAA' }] },
    { content: [{ type: 'resource' }] },
    { ...OK, structuredContent: [] },
    { ...OK, isError: 'no' },
    { ...OK, _meta: null },
  ])('%j is no result: it ran, and cannot be used', async (result) => {
    const server = await wireServer(({ id }, wire) => wire.send({ id: id ?? '', result }));
    await using tx = over(server);
    const error = { code: 'RESULT_UNUSABLE', execution: 'done' };
    expect(await tx.tryCallTool('pay')).toMatchObject({ ok: false, error });
  });

  it('a client without a connection sends nothing', async () => {
    const server = await wireServer();
    await using tx = over(server, { retry: { maxAttempts: 1 } });
    await tx.initialize();
    await server.client.close();
    expect(await tx.tryCallTool('pay')).toMatchObject({ ok: false, error: { execution: 'none', retryable: true } });
    expect(server.frames).toEqual([]);
  });
});

describe('a transport that cannot send', () => {
  it.each([
    ['rejects', () => Promise.reject(Object.assign(new Error('write'), { code: 'EPIPE' }))],
    [
      'throws',
      () => {
        throw Object.assign(new Error('write'), { code: 'EPIPE' });
      },
    ],
  ])('and %s: what may have left is in doubt at once', async (_how, send) => {
    const server = await wireServer();
    const working = server.transport.send.bind(server.transport);
    server.transport.send = (message, options) =>
      (message as { method?: string }).method === 'tools/call' ? send() : working(message, options);
    await using tx = over(server);
    expect(await tx.tryCallTool('pay')).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT', reason: 'connection-lost' },
    });
  });
});

describe('a client that does more than SDK v1’s own', () => {
  class Signing extends Client {
    override callTool(...[params, ...rest]: Parameters<Client['callTool']>): ReturnType<Client['callTool']> {
      return super.callTool({ ...params, _meta: { signature: 'x' } }, ...rest);
    }
  }
  const patched = (client: Client): Client => {
    const callTool = client.callTool.bind(client);
    client.callTool = (params, ...rest) => callTool({ ...params, _meta: { signature: 'x' } }, ...rest);
    return client;
  };
  const proxied = (client: Client): Client =>
    new Proxy(patched(client), {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  const info = { name: 'test', version: '1' };

  it.each([
    ['by a subclass', () => new Signing(info)],
    ['by its own callTool', () => patched(new Client(info))],
    ['behind a proxy', () => proxied(new Client(info))],
  ])('%s is asked to make the call', async (_how, make) => {
    const client = make();
    const server = await wireServer(undefined, undefined, client);
    await using tx = over(server);
    expect(await tx.tryCallTool('pay')).toMatchObject({ ok: true });
    expect(server.frames).toMatchObject([{ params: { _meta: { signature: 'x' } } }]);
  });
});
