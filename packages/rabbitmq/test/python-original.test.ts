import { startRabbitmq } from '@mcp-tx/testing/services';
import { afterAll, expect, it } from 'vitest';
import { PYTHON_ORIGINAL } from '../src/index.ts';
import { sceneOn, until } from './support/scene.ts';

const service = await startRabbitmq();
afterAll(() => service.stop());

/** What the Python original writes, member by member. */
const request = (correlation_id: string, args: object) => ({
  tool_name: 'pay',
  arguments: args,
  correlation_id,
  timestamp: '2026-11-23T00:00:00.000000',
});

it('a worker takes jobs of the Python original and answers in its words, in its queues', async () => {
  await using scene = await sceneOn(service, { queues: PYTHON_ORIGINAL });
  const channel = await scene.eyes.channel();
  // The names are the original's own: other tests have used them.
  for (const queue of ['rmcp_requests', 'rmcp_responses', scene.dead]) await channel.deleteQueue(queue);
  for (const queue of ['rmcp_requests', 'rmcp_responses']) await channel.assertQueue(queue, { durable: true });
  await scene.worker();
  const put = (body: object, correlationId: string) =>
    scene.eyes.put('rmcp_requests', JSON.stringify(body), { correlationId });
  await put(request('c-1', { orderId: 'a' }), 'c-1');
  await put(request('c-1', { orderId: 'a' }), 'c-1'); // as after a lost connection
  await put({ ...request('c-2', {}), tool_name: 'absent' }, 'c-2');
  await put({ ...request('c-3', {}), principal: 'root' }, 'c-3');
  await until('all replies', async () => (await scene.eyes.ready('rmcp_responses')) === 4);
  const replies = (await scene.eyes.drain('rmcp_responses')).map(({ content }) => JSON.parse(content.toString()));
  const of = (id: string) => replies.filter(({ correlation_id: name }) => name === id);
  expect(of('c-1')).toHaveLength(2);
  expect(of('c-1')[0]).toMatchObject({
    success: true,
    result: { content: [{ type: 'text' }] },
    metadata: { request_id: expect.stringMatching(/^req_/), attempts: 1 },
  });
  expect(of('c-1')[0].result).toEqual(of('c-1')[1].result);
  expect(of('c-2')).toEqual([
    expect.objectContaining({ success: false, error: expect.stringContaining('not on the list') }),
  ]);
  expect(of('c-3')).toEqual([expect.objectContaining({ success: false, code: 'CALL_INVALID' })]);
  expect([scene.paid('a'), scene.arrivals(), await scene.eyes.ready(scene.dead)]).toEqual([1, 1, 2]);
});

it('clients call through it: each gets its own of the replies that all share', async () => {
  await using scene = await sceneOn(service, { queues: PYTHON_ORIGINAL });
  await scene.worker();
  const clients = [scene.client(), scene.client()];
  const call = async (who: number) => {
    const answer = await clients[who]?.call('pay', { orderId: `${who}` }, { idempotencyKey: `order:${who}` });
    expect(answer?.result.structured).toMatchObject({ orderId: `${who}` });
    expect(answer?.meta).toMatchObject({ attempts: 1, execution: 'done', durability: 'process' });
  };
  await Promise.all([call(0), call(1)]);
  await expect(clients[0]?.call('absent')).rejects.toMatchObject({ code: 'TOOL_NOT_ALLOWED' });
});

it('a client believes of a worker of the original what that one always does, and no more', async () => {
  await using scene = await sceneOn(service, { queues: PYTHON_ORIGINAL });
  const channel = await scene.eyes.channel();
  await channel.assertQueue('rmcp_requests', { durable: true });
  await channel.consume('rmcp_requests', (message) => {
    if (message === null) return;
    const { correlation_id, tool_name, arguments: args } = JSON.parse(message.content.toString());
    const result = { content: [{ type: 'text', text: JSON.stringify(args) }] };
    const good = { correlation_id, success: true, result, metadata: { request_id: 'r-7', attempts: 3 } };
    const bad = { correlation_id, success: false, error: 'no money' };
    const reply = JSON.stringify(tool_name === 'pay' ? good : bad);
    channel.sendToQueue('rmcp_responses', Buffer.from(reply), { correlationId: correlation_id });
    channel.ack(message);
  });
  const client = scene.client();
  const { result, meta } = await client.call('pay', { orderId: 'a' });
  expect([result.structured, meta.attempts, meta.requestId]).toEqual([{ orderId: 'a' }, 3, 'r-7']);
  expect(meta).toMatchObject({ guarantee: 'at-least-once', recorded: false, fingerprinted: false });
  const refused = { code: 'IN_DOUBT', execution: 'unknown', message: 'no money' };
  await expect(client.call('charge')).rejects.toMatchObject(refused);
});
