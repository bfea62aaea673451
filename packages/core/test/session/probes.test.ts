// DESIGN 3.7: a probe is run after a reconnect, on restart by the sweeper, and by an operator.
import { describe, expect, it } from 'vitest';
import type { McpTxOptions, ProbeVerdict } from '../../src/index.ts';
import type { Instance } from '../support/instance.ts';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const found: ProbeVerdict = { verdict: 'completed', result: { content: [{ type: 'text', text: 'seen' }] } };

/** One call in doubt; its probe says what `verdict` says by then. */
async function inDoubt(options: Partial<McpTxOptions> = {}) {
  const says: { verdict: ProbeVerdict; asked: number } = { verdict: { verdict: 'unknown' }, asked: 0 };
  const probe = (): ProbeVerdict => {
    says.asked += 1;
    return says.verdict;
  };
  const i = await instance([fates.reset], { tools: { pay: { probe, timeoutMs: 500 } }, ...options });
  const outcome = await within(i.clock, 100, i.tx.tryCallTool('pay', {}, key));
  says.asked = 0;
  return { ...i, says, operationId: outcome.ok ? '' : (outcome.error.operationId ?? '') };
}

const stateOf = async ({ ledger }: Pick<Instance, 'ledger'>) => (await ledger.list({})).records[0]?.state;

describe('probes after a reconnect', () => {
  it('are run at once, and end doubt', async () => {
    const i = await inDoubt({ sweepIntervalMs: 60_000 });
    await i.clock.advance(1_000);
    i.says.verdict = found;
    i.says.asked = 0;
    await i.clock.advance(1_000);
    expect(await stateOf(i)).toBe('in_doubt');
    i.server.reconnect();
    await i.clock.advance(1);
    expect(i.says.asked).toBe(1);
    expect(await i.tx.callTool('pay', {}, key)).toMatchObject({ meta: { resolvedBy: 'probe', duplicate: true } });
  });

  it('come once a second at most, however often the server is lost and found', async () => {
    const i = await inDoubt({ sweepIntervalMs: 60_000 });
    await i.clock.advance(2_000);
    i.says.asked = 0;
    for (let n = 0; n < 95; n += 1) {
      i.server.reconnect();
      await i.clock.advance(20);
    }
    expect(i.says.asked).toBe(2);
  });

  it('are background work: with sweepIntervalMs 0 there are none', async () => {
    const i = await inDoubt({ sweepIntervalMs: 0 });
    i.server.reconnect();
    await i.clock.advance(1_000);
    expect(i.says.asked).toBe(0);
  });

  it('do not chase each other when it is the probe that has the server started anew', async () => {
    const i = await inDoubt({ sweepIntervalMs: 60_000 });
    let asked = 0;
    const probe = (): ProbeVerdict => {
      asked += 1;
      i.server.reconnect();
      return { verdict: 'unknown' };
    };
    const other = await instance([], { sweepIntervalMs: 60_000, tools: { pay: { probe } } }, i);
    await other.clock.advance(30_000);
    expect(asked).toBe(1);
  });

  it('after close() are run no more', async () => {
    const i = await inDoubt({ sweepIntervalMs: 60_000 });
    await within(i.clock, 10, i.tx.close());
    i.server.reconnect();
    await i.clock.advance(120_000);
    expect(i.says.asked).toBe(0);
  });
});

describe('tx.probe()', () => {
  it('asks about one operation, and ends its doubt by what was found', async () => {
    const i = await inDoubt();
    expect(await i.tx.probe(i.operationId)).toMatchObject({ verdict: 'unknown', record: { state: 'in_doubt' } });
    i.says.verdict = found;
    const resolved: unknown[] = [];
    i.tx.on('operation.resolved', (event) => resolved.push(event));
    expect(await i.tx.probe(i.operationId)).toMatchObject({
      verdict: 'completed',
      record: { state: 'completed', resolvedBy: 'probe' },
    });
    expect(resolved).toEqual([{ operationId: i.operationId, by: 'probe', outcome: 'completed' }]);
    expect(await i.tx.auditTrail(i.operationId)).toMatchObject([{ by: 'probe', action: 'resolved' }]);
  });

  it('believes "absent" only once the send can no longer take effect', async () => {
    const i = await inDoubt();
    i.says.verdict = { verdict: 'absent' };
    expect(await i.tx.probe(i.operationId)).toMatchObject({ verdict: 'absent', record: { state: 'in_doubt' } });
    await i.clock.advance(500 + 500 + 100); // attempt, grace, quiet time
    expect(await i.tx.probe(i.operationId)).toMatchObject({ verdict: 'absent', record: { state: 'in_doubt' } });
    await i.clock.advance(1);
    expect(await i.tx.probe(i.operationId)).toMatchObject({ verdict: 'absent', record: { state: 'failed' } });
    expect(await i.tx.tryCallTool('pay', {}, key)).toMatchObject({ ok: false, error: { code: 'NOT_EXECUTED' } });
  });

  it('says why it cannot', async () => {
    const i = await inDoubt();
    const refused = (code: string, says: RegExp) =>
      expect.objectContaining({ code, execution: 'none', message: expect.stringMatching(says) });
    await expect(i.tx.probe('op_none')).rejects.toEqual(refused('OPERATION_NOT_FOUND', /op_none/));
    const done = await i.tx.callTool('read', {}, { idempotencyKey: 'done' });
    await expect(i.tx.probe(done.meta.operationId)).rejects.toEqual(
      refused('CALL_INVALID', /is completed, not in doubt/),
    );
    const plain = await instance([], {}, i);
    await expect(plain.tx.probe(i.operationId)).rejects.toEqual(
      refused('CONFIG_INVALID', /no probe in the rule of pay/),
    );
    const elsewhere = await instance([], { name: 'elsewhere' }, i);
    await expect(elsewhere.tx.probe(i.operationId)).rejects.toEqual(
      refused('CALL_INVALID', /belongs to the server test/),
    );
    const unrecorded = await instance([], { ledger: false });
    await expect(unrecorded.tx.probe(i.operationId)).rejects.toEqual(refused('CONFIG_INVALID', /`ledger: false`/));
    await within(i.clock, 10, i.tx.close());
    await expect(i.tx.probe(i.operationId)).rejects.toEqual(refused('CLOSED', /closed/));
  });
});
