/** Proves that the aware server does what a server that speaks MCP-Tx must: one effect per operation, and the same answer for ever. */
import { expect, test, vi } from 'vitest';
import { RELIABILITY_ID } from '../src/faulty-server/tool-call.ts';
import type { FaultyStdioOptions, Script } from '../src/faulty-server.ts';
import { faultyStdio, startFaultyHttpServer } from '../src/faulty-server.ts';
import { openHttp } from './support/http-session.ts';
import { PATIENCE_MS } from './support/session.ts';
import { openStdio } from './support/stdio-session.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

const reliability = { v: 1, operationId: 'op_1', requestId: 'rq_1', attempt: 1, attemptId: 'at_1' };
const again = { reliability: { ...reliability, attempt: 2, attemptId: 'at_2' } };
const order = { orderId: 'a', amount: 1 };
const aware = (options: FaultyStdioOptions = {}) => faultyStdio({ aware: true, ...options });

test.concurrent('it announces itself, and an unaware server does not', async () => {
  await using session = await openStdio(aware());
  expect(session.client.getServerCapabilities()).toMatchObject({
    extensions: { [RELIABILITY_ID]: {} },
    experimental: { mcp_tx: {} },
  });
  await using plain = await openStdio(faultyStdio());
  expect(plain.client.getServerCapabilities()).toEqual({ tools: {} });
});

test.concurrent('a repeat has no effect and gets the same answer, acknowledged as a duplicate', async () => {
  const server = aware();
  await using session = await openStdio(server);
  const { _meta: firstMeta, ...first } = await session.call('pay', order, { reliability });
  const { _meta: secondMeta, ...second } = await session.call('pay', order, again);
  expect(JSON.stringify(second)).toBe(JSON.stringify(first));
  expect(server.effects()).toHaveLength(1);
  const about = {
    v: 1,
    ack: true,
    processed: true,
    operationId: 'op_1',
    requestId: 'rq_1',
    storedAt: expect.any(Number),
  };
  expect(firstMeta).toEqual({ [RELIABILITY_ID]: { ...about, duplicate: false, attempt: 1 } });
  expect(secondMeta).toEqual({ [RELIABILITY_ID]: { ...about, duplicate: true, attempt: 2 } });
});

test.concurrent('two copies at once have one effect', async () => {
  const server = aware();
  await using session = await openStdio(server);
  const args = { ms: 30, orderId: 'a' };
  const [one, other] = await Promise.all([
    session.call('slow', args, { reliability }),
    session.call('slow', args, again),
  ]);
  expect(other?.content).toEqual(one?.content);
  expect(server.effects()).toHaveLength(1);
});

test.concurrent('without metadata nothing is deduped', async () => {
  const server = aware();
  await using session = await openStdio(server);
  expect(await session.call('pay', order)).not.toHaveProperty('_meta');
  await session.call('pay', order);
  expect(server.effects()).toHaveLength(2);
});

test.concurrent('other arguments under a claimed operation are refused without an effect', async () => {
  const server = aware();
  await using session = await openStdio(server);
  await session.call('pay', order, { reliability });
  const refused = session.client.callTool({
    name: 'pay',
    arguments: { orderId: 'b' },
    _meta: { [RELIABILITY_ID]: reliability },
  });
  const data = { [RELIABILITY_ID]: { ack: false, processed: false, reason: 'conflict' } };
  await expect(refused).rejects.toMatchObject({ code: -32602, data });
  expect(server.effects()).toHaveLength(1);
});

const LOSSES: readonly { readonly script: Script; readonly effectsFirst: number }[] = [
  { script: [{ fault: 'drop-response' }], effectsFirst: 1 },
  { script: [{ fault: 'drop-request' }], effectsFirst: 0 },
  { script: [{ fault: 'exit-before' }], effectsFirst: 0 },
  { script: [{ fault: 'exit-after' }], effectsFirst: 1 },
  { script: [{ fault: 'half-line' }], effectsFirst: 1 },
];

test.concurrent.for(LOSSES)('after $script.0.fault a repeat ends with one effect', async ({ script, effectsFirst }) => {
  const server = aware({ script });
  await using first = await openStdio(server);
  await first.fail('pay', order, { reliability, timeoutMs: 1000 });
  expect(server.effects()).toHaveLength(effectsFirst);
  await using second = await openStdio(server);
  const result = await second.call('pay', order, again);
  expect(result).toMatchObject({ _meta: { [RELIABILITY_ID]: { duplicate: effectsFirst === 1 } } });
  expect(server.effects()).toHaveLength(1);
  expect(await second.call('pay', order, again)).toMatchObject({ content: result.content });
});

test.concurrent('failures are kept and replayed too; a rejection before the effect is not kept', async () => {
  const script: Script = [
    { fault: { kind: 'json-rpc-error', code: -32000, message: 'busy', when: 'before' } },
    { fault: { kind: 'json-rpc-error', code: -32603, message: 'broken', data: { why: 'x' }, when: 'after' } },
  ];
  const server = aware({ script });
  await using session = await openStdio(server);
  expect(await session.fail('pay', order, { reliability })).toMatchObject({ code: -32000 });
  expect(await session.fail('pay', order, again)).toMatchObject({ code: -32603 });
  await using later = await openStdio(server);
  const replay = later.client.callTool({ name: 'pay', arguments: order, _meta: { [RELIABILITY_ID]: reliability } });
  const note = { ack: false, processed: true, duplicate: true, operationId: 'op_1' };
  await expect(replay).rejects.toMatchObject({ code: -32603, data: { why: 'x', [RELIABILITY_ID]: note } });
  expect(server.effects()).toHaveLength(1);
});

test.concurrent('over HTTP as well: the answer is lost, the repeat has it', async () => {
  await using server = await startFaultyHttpServer({ aware: true, script: [{ fault: 'reset' }] });
  await using session = await openHttp(server);
  await session.fail('pay', order, { reliability });
  expect(await session.call('pay', order, again)).toMatchObject({ _meta: { [RELIABILITY_ID]: { duplicate: true } } });
  expect(server.effects()).toHaveLength(1);
});
