// DESIGN 3.7: a probe is asked before doubt is accepted.
import { expect, it } from 'vitest';
import type { ProbeVerdict } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

it('its own reads are not kept in line behind the very call that it is asked about', async () => {
  const { tx, clock } = await instance([fates.resetAfterEffect], {
    limits: { maxInFlight: 1 },
    tools: {
      pay: {
        probe: async (_operation, { callTool }): Promise<ProbeVerdict> => ({
          verdict: 'completed',
          result: await callTool('read', {}),
        }),
      },
    },
  });
  expect(await within(clock, 1_100, tx.tryCallTool('pay', {}, key))).toMatchObject({
    ok: true,
    meta: { resolvedBy: 'probe' },
  });
});

it('a caller whose deadline passes after "absent" was believed is not told that it may have run', async () => {
  const { tx, server, clock, ledger } = await instance([fates.reset, fates.refused], {
    tools: { pay: { probe: () => ({ verdict: 'absent' }) } },
    retry: { baseDelayMs: 450, maxDelayMs: 600, jitter: 'none' },
  });
  server.dead = true;
  const call = tx.tryCallTool('pay', {}, { ...key, timeoutMs: 1_000 });
  await clock.advance(5);
  const abort = tx.tryCallTool('pay', {}, { ...key, timeoutMs: 100 });
  expect((await ledger.list({})).records[0]?.state).toBe('claimed');
  expect(await within(clock, 200, abort)).toMatchObject({ ok: false, error: { execution: 'none' } });
  await within(clock, 2_000, call);
});
