// A server that speaks MCP-Tx is asked about operations in doubt. Its word ends the doubt; "no record" does so only when it would have
// one, and when nothing can be under way any more.
import { describe, expect, it } from 'vitest';
import type { McpTxOptions, OperationStatus, ProbeVerdict } from '../../src/index.ts';
import type { Instance } from '../support/instance.ts';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const result = { content: [{ type: 'text', text: 'charged' }] };
const DAY_MS = 86_400_000;
/** 500 ms of an attempt, 500 of grace, 100 of quiet. */
const SETTLED_MS = 1_200;

/** An operation of an aware server that all sends have left in doubt. */
async function inDoubt(options: Partial<McpTxOptions> = {}, speaksMcpTx = true) {
  const world = await instance([], options);
  world.server.speaksMcpTx = speaksMcpTx;
  world.server.fates.push(...Array.from({ length: 3 }, () => fates.reset));
  const outcome = await within(world.clock, 5_000, world.tx.tryCallTool('pay', {}, key));
  expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
  return { ...world, operationId: outcome.ok ? '' : (outcome.error.operationId ?? '') };
}

function says({ server }: Instance, operationId: string, status: OperationStatus): void {
  server.operations.set(operationId, status);
}

describe('an operation in doubt', () => {
  it('is completed by the result that the server has, for every caller', async () => {
    const world = await inDoubt();
    says(world, world.operationId, { state: 'completed', result, exactlyOnce: true });
    expect(await world.tx.sweep()).toMatchObject({ probed: 1, resolved: 1 });
    const told = await world.tx.callTool('pay', {}, key);
    expect(told).toMatchObject({
      result,
      meta: { resolvedBy: 'server', guarantee: 'exactly-once', execution: 'done' },
    });
    expect(await world.tx.auditTrail(world.operationId)).toMatchObject([{ by: 'server', state: 'completed' }]);
  });

  it('has failed at once when the server knows that it never ran', async () => {
    const world = await inDoubt();
    says(world, world.operationId, { state: 'not-executed' });
    expect(await world.tx.probe(world.operationId)).toMatchObject({ verdict: 'absent', record: { state: 'failed' } });
    const told = await world.tx.tryCallTool('pay', {}, key);
    expect(told).toMatchObject({ ok: false, error: { code: 'NOT_EXECUTED', execution: 'none' } });
  });

  it('has failed when the server has no record, but only once the send can no longer take effect', async () => {
    const world = await inDoubt();
    expect(await world.tx.probe(world.operationId)).toMatchObject({ verdict: 'absent', record: { state: 'in_doubt' } });
    await world.clock.advance(SETTLED_MS);
    expect(await world.tx.probe(world.operationId)).toMatchObject({ verdict: 'absent', record: { state: 'failed' } });
  });

  it.each([
    ['its memory does not reach back', 1_000],
    ['its memory reaches back to the send and no further', SETTLED_MS],
    ['it says nonsense of its memory', Number.NaN],
  ])('stays so when the server has no record and %s', async (_why, rememberedMs) => {
    const world = await inDoubt();
    world.server.rememberedMs = rememberedMs;
    await world.clock.advance(SETTLED_MS);
    expect(await world.tx.probe(world.operationId)).toMatchObject({
      verdict: 'unknown',
      record: { state: 'in_doubt' },
    });
  });

  it('stays so when the server did not recognise operations yet when it was sent', async () => {
    const world = await inDoubt({}, false);
    world.server.speaksMcpTx = true; // it was put behind withMcpTx meanwhile, over a store that is old
    world.server.rememberedMs = DAY_MS;
    await world.clock.advance(10 * SETTLED_MS);
    expect(await world.tx.probe(world.operationId)).toMatchObject({
      verdict: 'unknown',
      record: { state: 'in_doubt' },
    });
    expect(world.server.statusPolls).toBeGreaterThan(0);
  });

  it.each(['in-progress', 'in-doubt', 'unknown'] as const)('stays so when the server says %s', async (state) => {
    const world = await inDoubt();
    says(world, world.operationId, { state });
    await world.clock.advance(10 * SETTLED_MS);
    expect(await world.tx.probe(world.operationId)).toMatchObject({
      verdict: 'unknown',
      record: { state: 'in_doubt' },
    });
  });

  it('is asked about again soon while the server is at work on it', async () => {
    const world = await inDoubt({ sweepIntervalMs: 60_000 });
    says(world, world.operationId, { state: 'in-progress' });
    await world.tx.sweep();
    const before = world.server.statusPolls;
    await world.clock.advance(70_000); // one sweep in the background, and then one every 5 s
    expect(world.server.statusPolls).toBeGreaterThan(before + 1);
  });

  it('is left to the probe of its tool where the server does not know', async () => {
    let verdict: ProbeVerdict = { verdict: 'unknown' };
    const world = await inDoubt({ tools: { pay: { probe: () => verdict } } });
    says(world, world.operationId, { state: 'in-doubt' });
    verdict = { verdict: 'completed', result };
    expect(await world.tx.probe(world.operationId)).toMatchObject({
      record: { state: 'completed', resolvedBy: 'probe' },
    });
  });

  it('stays so while the server is at work on it, though a probe finds nothing', async () => {
    let verdict: ProbeVerdict = { verdict: 'unknown' };
    const world = await inDoubt({ tools: { pay: { probe: () => verdict } } });
    says(world, world.operationId, { state: 'in-progress' });
    verdict = { verdict: 'absent' };
    await world.clock.advance(10 * SETTLED_MS);
    expect(await world.tx.probe(world.operationId)).toMatchObject({
      verdict: 'unknown',
      record: { state: 'in_doubt' },
    });
  });

  it('of a server that does not speak MCP-Tx has nobody to be asked of, and that is said', async () => {
    const world = await inDoubt({}, false);
    await expect(world.tx.probe(world.operationId)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await world.tx.sweep()).toMatchObject({ probed: 0 });
    expect(world.server.statusPolls).toBe(0);
  });
});
