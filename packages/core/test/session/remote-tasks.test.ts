// DESIGN 3.2: a result with `task` is in doubt, "stored before answering, polled by a built-in probe". The task's own words end the
// doubt only by a result: an acknowledged cancellation is no proof that nothing happened, and an unknown task is none either.
import { describe, expect, it } from 'vitest';
import type { McpTxOptions, ProbeVerdict, TaskStatus } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { answered } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const result = { content: [{ type: 'text', text: 'done' }] };
const absent = { tools: { pay: { probe: (): ProbeVerdict => ({ verdict: 'absent' }), timeoutMs: 500 } } };

async function withTask(options: Partial<McpTxOptions> = {}) {
  const i = await instance([{ runs: true, ends: answered({ task: { taskId: 't1' } }) }], options);
  i.server.tasks.set('t1', { state: 'working' });
  const outcome = await within(i.clock, 100, i.tx.tryCallTool('pay', {}, key));
  expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'remote-task' } });
  return { ...i, operationId: outcome.ok ? '' : (outcome.error.operationId ?? '') };
}

describe('a remote task', () => {
  it('is polled soon and often while the server works on it, and its result ends the doubt', async () => {
    const { tx, clock, server, operationId } = await withTask({ sweepIntervalMs: 60_000 });
    await clock.advance(12_000);
    expect(server.taskPolls).toBe(3); // at 1, 6 and 11 s
    server.tasks.set('t1', { state: 'completed', result });
    await clock.advance(5_000);
    expect(await tx.callTool('pay', {}, key)).toMatchObject({ result, meta: { resolvedBy: 'probe', duplicate: true } });
    await clock.advance(20_000);
    expect(server.taskPolls).toBe(4);
    expect((await tx.auditTrail(operationId)).length).toBe(1);
  });

  it('that failed with a result is completed with isError: the tool ran', async () => {
    const { tx, server, operationId } = await withTask();
    server.tasks.set('t1', { state: 'completed', result: { ...result, isError: true } });
    expect(await tx.probe(operationId)).toMatchObject({ verdict: 'completed', record: { state: 'completed' } });
    expect((await tx.callTool('pay', {}, key)).result.isError).toBe(true);
  });

  it.each(['gone', 'unknown'] as const)('that is %s stays in doubt', async (state) => {
    const { tx, server, operationId } = await withTask();
    server.tasks.set('t1', { state });
    expect(await tx.probe(operationId)).toMatchObject({ verdict: 'unknown', record: { state: 'in_doubt' } });
    await tx.sweep();
    expect((await tx.getOperation(operationId))?.state).toBe('in_doubt');
  });

  it.each<[TaskStatus['state'], string]>([
    ['working', 'in_doubt'],
    ['unknown', 'in_doubt'],
    ['gone', 'failed'],
  ])('that is %s: a user’s probe that finds nothing leaves it %s, however late', async (state, after) => {
    const { tx, clock, server, operationId } = await withTask(absent);
    server.tasks.set('t1', { state } as TaskStatus);
    await tx.probe(operationId);
    await clock.advance(3_600_000);
    expect((await tx.probe(operationId)).record.state).toBe(after);
  });

  it('is not polled in the background where sweeps are off', async () => {
    const { clock, server } = await withTask({ sweepIntervalMs: 0 });
    await clock.advance(60_000);
    expect(server.taskPolls).toBe(0);
  });
});
