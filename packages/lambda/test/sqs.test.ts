import type { McpTxOptions } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import type { JobEnd } from '@mcp-tx/core/job';
import { http } from '@mcp-tx/core/sdk-v1';
import type { FaultyHttpOptions } from '@mcp-tx/testing/faulty-server';
import { startFaultyHttpServer } from '@mcp-tx/testing/faulty-server';
import { afterEach, expect, it } from 'vitest';
import type { SqsHandlerOptions, SqsRecord } from '../src/index.ts';
import { createSqsHandler, lambdaDefaults } from '../src/index.ts';
import { contextOf } from './support/gateway.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function queueOver(
  server: FaultyHttpOptions = {},
  options: Partial<SqsHandlerOptions> = {},
  instance: Partial<McpTxOptions> = {},
) {
  const faulty = await startFaultyHttpServer(server);
  const tx = createMcpTx({ ...lambdaDefaults(), server: http({ url: faulty.url }), ...instance });
  ends.push(
    () => faulty.close(),
    () => tx.close({ graceMs: 0 }),
  );
  const seen = new Map<string, JobEnd>();
  const onEnd = ({ messageId }: SqsRecord, end: JobEnd): void => void seen.set(messageId, end);
  const handler = createSqsHandler({ client: tx, tools: ['pay', 'slow'], onEnd, ...options });
  const deliver = async (records: readonly SqsRecord[], remainingMs = 10_000) =>
    (await handler({ Records: records }, contextOf(remainingMs))).batchItemFailures.map((one) => one.itemIdentifier);
  return { faulty, deliver, seen, tx };
}

const record = (id: string, body: unknown, queue = 'jobs'): SqsRecord => ({
  messageId: id,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  eventSourceARN: `arn:aws:sqs:eu-central-1:1:${queue}`,
});
const pay = (id: string, queue?: string): SqsRecord =>
  record(id, { v: 1, tool: 'pay', arguments: { orderId: id } }, queue);

it('of five records only the third, which cannot be used, comes again', async () => {
  const { deliver, faulty, seen } = await queueOver();
  const failed = await deliver([pay('1'), pay('2'), record('3', '{'), pay('4'), pay('5')]);
  expect(failed).toEqual(['3']);
  expect(seen.get('3')).toMatchObject({ kind: 'deadLetter', error: { code: 'CALL_INVALID' } });
  expect(faulty.effects()).toHaveLength(4);
});

it('of a FIFO queue nothing overtakes a failure', async () => {
  const { deliver, faulty } = await queueOver();
  const queue = 'jobs.fifo';
  const failed = await deliver([
    pay('1', queue),
    pay('2', queue),
    record('3', '{', queue),
    pay('4', queue),
    pay('5', queue),
  ]);
  expect(failed).toEqual(['3', '4', '5']);
  expect(faulty.effects().map(({ args }) => args.orderId)).toEqual(['1', '2']);
});

it('a message that is delivered again, and again, has one effect', async () => {
  const { deliver, faulty } = await queueOver();
  for (let n = 0; n < 20; n += 1) expect(await deliver([pay('1')])).toEqual([]);
  expect(await Promise.all([deliver([pay('2')]), deliver([pay('2')])])).toEqual([[], []]);
  expect(faulty.effects()).toHaveLength(2);
});

it('a key of the producer’s own is the operation, whichever message brings it', async () => {
  const { deliver, faulty } = await queueOver();
  const job = { v: 1, tool: 'pay', arguments: { orderId: 'a' }, idempotencyKey: 'order:a' };
  expect(await deliver([record('1', job), record('2', job)])).toEqual([]);
  expect(faulty.effects()).toHaveLength(1);
});

it('what cannot be known comes again, is not sent again, and goes to the queue’s own dead letters', async () => {
  const { deliver, faulty, seen } = await queueOver({ script: [{ tool: 'pay', fault: 'drop-response' }] });
  expect(await deliver([pay('1')], 1_000)).toEqual(['1']);
  expect(await deliver([pay('1')])).toEqual(['1']);
  expect(seen.get('1')).toMatchObject({ kind: 'deadLetter', error: { code: 'IN_DOUBT', execution: 'unknown' } });
  expect([faulty.effects().length, faulty.faults().arrivals.length]).toEqual([1, 1]);
});

it('a server that cannot be reached is tried later', async () => {
  const { deliver, seen } = await queueOver({ mode: 'refuse' });
  expect(await deliver([pay('1')], 2_000)).toEqual(['1']);
  expect(seen.get('1')).toMatchObject({ kind: 'retryLater', error: { execution: 'none', retryable: true } });
});

it('records without time left are not begun', async () => {
  const { deliver, faulty, seen } = await queueOver();
  expect(await deliver([pay('1'), pay('2')], 540)).toEqual(['1', '2']);
  expect([seen.size, faulty.faults().arrivals.length]).toEqual([0, 0]);
});

it.each([
  ['no version', { tool: 'pay', arguments: { orderId: 'x' } }, 'CALL_INVALID'],
  ['another version', { v: 2, tool: 'pay' }, 'CALL_INVALID'],
  ['an unknown member', { v: 1, tool: 'pay', principal: 'root' }, 'CALL_INVALID'],
  ['arguments that are a list', { v: 1, tool: 'pay', arguments: [] }, 'CALL_INVALID'],
  ['a tool off the list', { v: 1, tool: 'append' }, 'TOOL_NOT_ALLOWED'],
  ['a scope that nobody believes', { v: 1, tool: 'pay', arguments: { orderId: 'x' }, scope: 'root' }, 'CALL_INVALID'],
  ['a bad key', { v: 1, tool: 'pay', idempotencyKey: 'a\nb' }, 'KEY_INVALID'],
  ['too late', { v: 1, tool: 'pay', arguments: { orderId: 'x' }, deadlineAt: 1 }, 'DEADLINE_EXCEEDED'],
  ['no object', [], 'CALL_INVALID'],
])('a forged or broken job, %s, is a dead letter, and nothing is sent', async (_what, job, code) => {
  const { deliver, faulty, seen } = await queueOver();
  expect(await deliver([record('1', job)])).toEqual(['1']);
  expect(seen.get('1')).toMatchObject({ kind: 'deadLetter', error: { code, execution: 'none' } });
  expect(faulty.faults().arrivals).toHaveLength(0);
});

it('a host may believe the scope of its jobs', async () => {
  const { deliver, tx } = await queueOver({}, { scope: (job) => job.scope });
  expect(await deliver([record('1', { v: 1, tool: 'pay', arguments: { orderId: 'a' }, scope: 'alice' })])).toEqual([]);
  expect((await tx.listOperations({ scope: 'alice' })).records).toHaveLength(1);
});
