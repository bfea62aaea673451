import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { expect, it } from 'vitest';
import { createMcpTx } from '../../src/index.ts';

interface Frame {
  readonly id: number;
  readonly method: string;
}
const result = { content: [{ type: 'text', text: 'paid' }] };
const UNKNOWN_TASK = { error: { code: -32_602, message: 'Failed to retrieve task: Task not found' } };
const task = (status: string) => ({ result: { taskId: 't1', status, ttl: 60_000, createdAt: '', lastUpdatedAt: '' } });

/** A server that answers every call with a task, and says of it what `answers` says. */
async function serverWithTask(client: ClientV1 | ClientV2, answers: Readonly<Record<string, object>>): Promise<void> {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const fixed: Readonly<Record<string, object>> = {
    initialize: {
      result: {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {}, tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
        serverInfo: { name: 'tasks', version: '1' },
      },
    },
    'tools/list': { result: { tools: [{ name: 'pay', inputSchema: { type: 'object' } }] } },
    'tools/call': { result: { task: task('working').result } },
  };
  far.onmessage = (message) => {
    const { id, method } = message as Frame;
    const answer = answers[method] ?? fixed[method];
    if (answer !== undefined) void far.send({ jsonrpc: '2.0', id, ...answer } as never);
  };
  await client.connect(near as never);
}

const clients = [
  ['SDK v1', () => new ClientV1({ name: 'test', version: '1' })],
  ['SDK v2', () => new ClientV2({ name: 'test', version: '1' })],
] as const;

it.each(
  clients.flatMap(([line, make]) =>
    (
      [
        ['completed', { 'tasks/get': task('completed'), 'tasks/result': { result } }, 'completed'],
        [
          'failed, with a result that says isError',
          { 'tasks/get': task('failed'), 'tasks/result': { result: { ...result, isError: true } } },
          'completed',
        ],
        [
          'failed, with an error',
          { 'tasks/get': task('failed'), 'tasks/result': { error: { code: -32_603, message: 'broke' } } },
          'in_doubt',
        ],
        ['cancelled', { 'tasks/get': task('cancelled') }, 'in_doubt'],
        ['expired, or never known', { 'tasks/get': UNKNOWN_TASK }, 'in_doubt'],
        ['still being worked on', { 'tasks/get': task('working') }, 'in_doubt'],
      ] as const
    ).map(([what, answers, state]) => [line, what, make, answers, state] as const),
  ),
)('%s: a task that is %s', async (_line, _what, make, answers, state) => {
  const client = make();
  await serverWithTask(client, answers);
  await using tx = createMcpTx({ server: client, timeoutMs: 5_000, sweepIntervalMs: 0 });
  const outcome = await tx.tryCallTool('pay', {}, { idempotencyKey: 'a' });
  expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'remote-task' } });
  const { record } = await tx.probe(outcome.ok ? '' : (outcome.error.operationId ?? ''));
  expect(record.state).toBe(state);
  if (state === 'completed') {
    const expected =
      'tasks/result' in answers && 'result' in answers['tasks/result'] ? answers['tasks/result'].result : {};
    expect((await tx.callTool('pay', {}, { idempotencyKey: 'a' })).result).toMatchObject(expected);
  }
  await client.close();
});
