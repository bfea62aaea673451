// DESIGN 3.7, I3, I10: when faults stop everything is terminal within lease + sweep, and one operation never keeps the others from it.
import { describe, expect, it } from 'vitest';
import type { ProbeVerdict } from '../../src/index.ts';
import { crashed, instance, within } from '../support/instance.ts';
import { answered, fates } from '../support/scripted-connection.ts';

const found: ProbeVerdict = { verdict: 'completed', result: { content: [{ type: 'text', text: 'seen' }] } };
const idempotent = { tools: { pay: { idempotent: true } } };

describe('[G:I10] a sweep', () => {
  it('goes on after a stored call that can no longer be planned', async () => {
    const retry = { baseDelayMs: 600_000, maxDelayMs: 600_000, jitter: 'none' } as const;
    const dead = await crashed(
      [fates.refused],
      (tx) => tx.callTool('pay', { key: 'mine' }, { idempotencyKey: 'k', timeoutMs: 900_000 }),
      { storeArguments: true, retry },
    );
    const tools = {
      pay: { idempotencyArgument: '/key' },
      read: { probe: () => found, delivery: 'at-most-once' },
    } as const;
    const { tx, clock, ledger } = await instance([fates.reset], { tools: { pay: tools.pay } }, dead);
    await within(clock, 100, tx.tryCallTool('read', {}, { idempotencyKey: 'r' }));
    const probing = await instance([], { tools }, dead);
    await clock.advance(3_100);
    await probing.tx.sweep().catch(() => undefined);
    expect((await ledger.list({ tool: 'read' })).records[0]?.state).toBe('completed');
  });

  it('goes on after a probe whose result is not JSON', async () => {
    const base = await instance([fates.reset, fates.reset]);
    const { tx, clock, ledger } = base;
    await within(clock, 100, tx.tryCallTool('read', {}, { idempotencyKey: 'r' }));
    await within(clock, 100, tx.tryCallTool('pay', {}, { idempotencyKey: 'p' })); // newest, so probed first
    const probing = await instance(
      [],
      {
        tools: {
          pay: { probe: () => ({ verdict: 'completed', result: { content: [], balance: 1n } }) },
          read: { probe: () => found },
        },
      },
      base,
    );
    await probing.tx.sweep().catch(() => undefined);
    expect((await ledger.list({ tool: 'read' })).records[0]?.state).toBe('completed');
  });

  it('[G:I3] ends a re-sendable call without stored arguments whose owner died and whose deadline has passed', async () => {
    const dead = await crashed([fates.lostAnswer], (tx) => tx.callTool('pay', {}, { idempotencyKey: 'k' }), {
      ...idempotent,
    });
    const { tx, clock, ledger } = await instance([], idempotent, dead);
    await clock.advance(10_000);
    for (let n = 0; n < 3; n += 1) await within(clock, 1_000, tx.sweep());
    expect((await ledger.list({})).records[0]?.state).toBe('in_doubt');
  });

  it('asks the user’s probe about a task that nobody can poll', async () => {
    const { tx, clock } = await instance([{ runs: true, ends: answered({ task: { taskId: 't1' } }) }], {
      tools: { pay: { probe: () => found } },
    });
    await within(clock, 100, tx.tryCallTool('pay', {}, { idempotencyKey: 'k' }));
    expect(await within(clock, 100, tx.sweep())).toMatchObject({ resolved: 1 });
  });

  it('does not take this machine’s clock for the store’s: "absent" is believed only when the send can no longer happen', async () => {
    const base = await instance([{ runs: true, afterMs: 800 }]);
    const call = base.tx.tryCallTool('pay', {}, { idempotencyKey: 'k', timeoutMs: 100 });
    await within(base.clock, 200, call);
    const ahead = { ...base.clock, now: () => base.clock.now() + 3_600_000 };
    await base.tx.close({ graceMs: 0 });
    const other = await instance([], { clock: ahead, tools: { pay: { probe: () => ({ verdict: 'absent' }) } } }, base);
    await other.tx.sweep();
    await base.clock.advance(1_000);
    expect(base.server.effectCount).toBe(1);
    expect((await base.ledger.list({})).records[0]?.state).not.toBe('failed');
  });
});

describe('close()', () => {
  it('does not wait for one slow probe after the other', async () => {
    const base = await instance(Array.from({ length: 8 }, () => fates.reset));
    const { clock } = base;
    for (let n = 0; n < 8; n += 1) await within(clock, 100, base.tx.tryCallTool('read', { n }));
    const probe = () => new Promise<ProbeVerdict>(() => undefined);
    const { tx } = await instance([], { tools: { read: { probe } } }, base);
    const sweeping = tx.sweep();
    await clock.settle();
    await within(clock, 15_000, tx.close({ graceMs: 0 }));
    void sweeping;
  });
});
