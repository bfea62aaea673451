// A peer that announces the extension and lies. Whatever it says, an answer is about the operation that it was given to, or it proves
// nothing; and no caller gets what belongs to another one.
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { describe, expect, it } from 'vitest';
import type { CallOutcome } from '../../src/index.ts';
import { createMcpTx, memoryLedger } from '../../src/index.ts';
import { announcement, EXTENSION_ID, STATUS_METHOD } from '../../src/protocol.ts';
import type { Frame, WireServer } from '../support/wire-server.ts';
import { wireServer } from '../support/wire-server.ts';

const INFO = { name: 'test', version: '1' };
const LINES = [
  ['SDK v1', () => new Client(INFO)],
  ['SDK v2', () => new ClientV2(INFO) as unknown as Client],
] as const;
const TIMES = { timeoutMs: 1_500, attemptTimeoutMs: 300, settleGraceMs: 50, quietMs: 0, sweepIntervalMs: 0 };
const RETRY = { maxAttempts: 2, baseDelayMs: 5, jitter: 'none' } as const;

const orderOf = ({ params }: Frame): string =>
  String((params?.arguments as { orderId?: unknown } | undefined)?.orderId);
const asked = ({ params }: Frame): Record<string, unknown> =>
  ((params?._meta ?? {}) as Record<string, Record<string, unknown>>)[EXTENSION_ID] ?? {};
const resultFor = (order: string, block?: unknown): object => ({
  content: [{ type: 'text', text: `receipt of ${order}` }],
  ...(block === undefined ? {} : { _meta: { [EXTENSION_ID]: block } }),
});
const truth = (frame: Frame): object => {
  const { operationId, requestId, attempt } = asked(frame);
  return { v: 1, ack: true, processed: true, duplicate: false, operationId, requestId, attempt };
};

type Lie = (frame: Frame, server: WireServer) => void;

async function liar(client: Client, lie: Lie) {
  const wire = await wireServer(lie, [{ name: 'pay' }], client, announcement());
  const ledger = memoryLedger();
  const tx = createMcpTx({ server: wire.client, ledger, ...TIMES, retry: RETRY });
  return {
    ...{ wire, tx, ledger },
    pay: (orderId: string): Promise<CallOutcome> => tx.tryCallTool('pay', { orderId }, { idempotencyKey: orderId }),
    [Symbol.asyncDispose]: () => tx.close({ graceMs: 0 }).then(() => wire.client.close()),
  };
}

const answerWith =
  (block: (frame: Frame) => unknown): Lie =>
  (frame, server) =>
    server.send({ id: frame.id ?? '', result: resultFor(orderOf(frame), block(frame)) });

const refuseWith =
  (block: (frame: Frame) => unknown): Lie =>
  (frame, server) => {
    const data = { [EXTENSION_ID]: block(frame) };
    server.send({ id: frame.id ?? '', error: { code: -32_602, message: 'no', data } });
  };

const nack = { v: 1, ack: false, processed: false, reason: 'conflict' };

describe.each(LINES)('over %s', (_line, make) => {
  it.each<[string, Lie]>([
    ['an acknowledgement of another operation', answerWith((frame) => ({ ...truth(frame), operationId: 'op_other' }))],
    ['an acknowledgement of no operation at all', answerWith((frame) => ({ ...truth(frame), operationId: 42 }))],
    ['a result that was not acknowledged', answerWith((frame) => ({ ...truth(frame), ack: false }))],
    ['a result that was not processed', answerWith((frame) => ({ ...truth(frame), processed: false }))],
    [
      'a task for another operation',
      (frame, server) => {
        const _meta = { [EXTENSION_ID]: { ...truth(frame), operationId: 'op_other' } };
        server.send({ id: frame.id ?? '', result: { content: [], task: { taskId: 't' }, _meta } });
      },
    ],
    ['a refusal of another operation', refuseWith(() => ({ ...nack, operationId: 'op_other' }))],
    ['a refusal that is an acknowledgement', refuseWith(() => ({ ...nack, ack: true }))],
  ])('%s proves nothing: in doubt, never a result and never "it did not happen"', async (_what, lie) => {
    await using peer = await liar(make(), lie);
    const outcome = await peer.pay('a');
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT', reason: 'server-error', execution: 'unknown' },
    });
    expect(peer.wire.frames.filter(({ method }) => method === 'tools/call')).toHaveLength(2); // with the same name
    expect(
      new Set(peer.wire.frames.filter(({ method }) => method === 'tools/call').map((frame) => asked(frame).operationId))
        .size,
    ).toBe(1);
    expect((await peer.ledger.list({})).records.map(({ state }) => state)).toEqual(['in_doubt']);
  });

  it('results that are swapped between two operations reach neither of them', async () => {
    const waiting: Frame[] = [];
    await using peer = await liar(make(), (frame, server) => {
      waiting.push(frame);
      if (waiting.length % 2 === 1) return;
      const [one, other] = waiting.slice(-2) as [Frame, Frame];
      server.send({ id: one.id ?? '', result: resultFor(orderOf(other), truth(other)) });
      server.send({ id: other.id ?? '', result: resultFor(orderOf(one), truth(one)) });
    });
    const outcomes = await Promise.all([peer.pay('a'), peer.pay('b')]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    expect((await peer.ledger.list({ states: ['completed'] })).records).toEqual([]);
  });

  it('of two answers the first counts, and the second disturbs nobody', async () => {
    await using peer = await liar(make(), (frame, server) => {
      for (const receipt of [orderOf(frame), 'another'])
        server.send({ id: frame.id ?? '', result: resultFor(receipt, truth(frame)) });
      server.send({ id: frame.id ?? '', error: { code: -32_602, message: 'no', data: { [EXTENSION_ID]: nack } } });
    });
    for (const order of ['a', 'b', 'a']) {
      const outcome = await peer.pay(order);
      expect(outcome).toMatchObject({ ok: true, result: resultFor(order) });
      expect(JSON.stringify(outcome)).not.toContain('another');
    }
  });

  it.each<[string, unknown]>([
    ['the wrong attempt', { attempt: 77, requestId: 'somebody' }],
    ['types that make no sense', { ack: 'yes', processed: 1, duplicate: {}, storedAt: 'soon', exactlyOnce: 'yes' }],
    ['a text', 'ack'],
    ['a list', [true]],
    ['null', null],
  ])('%s in an acknowledgement changes nothing and is not passed on', async (_what, lie) => {
    const isMembers = typeof lie === 'object' && lie !== null && !Array.isArray(lie);
    await using peer = await liar(
      make(),
      answerWith((frame) => (isMembers ? { ...truth(frame), ...lie } : lie)),
    );
    const outcome = await peer.pay('a');
    expect(outcome).toMatchObject({ ok: true, meta: { guarantee: 'effectively-once', duplicate: false, attempts: 1 } });
    expect(outcome.ok && outcome.result).toEqual(resultFor('a'));
  });

  it('huge metadata is stored nowhere, and the next call is not disturbed', async () => {
    const huge = 'x'.repeat(3_000_000);
    await using peer = await liar(make(), (frame, server) => {
      const data = { huge, [EXTENSION_ID]: { ...nack, operationId: asked(frame).operationId } };
      if (orderOf(frame) === 'refused')
        server.send({ id: frame.id ?? '', error: { code: -32_602, message: huge, data } });
      else server.send({ id: frame.id ?? '', result: resultFor('a', { ...truth(frame), huge }) });
    });
    expect(await peer.pay('refused')).toMatchObject({ ok: false, error: { code: 'REJECTED', execution: 'none' } });
    const outcome = await peer.pay('a');
    expect(outcome.ok && outcome.result).toEqual(resultFor('a')); // its block is not part of the result
    expect(JSON.stringify((await peer.ledger.list({})).records).length).toBeLessThan(20_000);
  });

  it.each<[string, (operationId: string) => unknown]>([
    ['another operation', () => ({ operationId: 'op_other', state: 'completed', result: resultFor('b') })],
    ['no operation', () => ({ state: 'completed', result: resultFor('b') })],
    ['a result that is none', (operationId) => ({ operationId, state: 'completed', result: { content: 'all of it' } })],
    ['no result', (operationId) => ({ operationId, state: 'completed' })],
    ['a state that is none', (operationId) => ({ operationId, state: ['not-executed'] })],
    ['a memory that is none', (operationId) => ({ operationId, state: 'unknown', rememberedMs: '9e9' })],
  ])('a status of %s leaves the doubt', async (_what, status) => {
    await using peer = await liar(
      make(),
      refuseWith((frame) => ({ ...nack, processed: true, reason: 'in-doubt', operationId: asked(frame).operationId })),
    );
    const outcome = await peer.pay('a');
    const operationId = (!outcome.ok && outcome.error.operationId) || '';
    peer.wire.answer = ({ id, method, params }) => {
      if (method === STATUS_METHOD) peer.wire.send({ id: id ?? '', result: status(String(params?.operationId)) });
    };
    expect(await peer.tx.probe(operationId)).toMatchObject({ verdict: 'unknown', record: { state: 'in_doubt' } });
    expect(peer.wire.frames.filter(({ method }) => method === STATUS_METHOD)).toHaveLength(1);
  });
});
