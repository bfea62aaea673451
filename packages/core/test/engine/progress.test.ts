// DESIGN 3.5: "Progress may extend an attempt, never the deadline." DESIGN 3.6: one driver, many callers.
import { describe, expect, it } from 'vitest';
import type { Progress } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const idempotent = { tools: { pay: { idempotent: true } } };
const every200Ms = { progressAtMs: [200, 400, 600, 800, 1_000, 1_200, 1_400] };
const listener = () => {
  const heard: number[] = [];
  return { heard, onProgress: ({ progress }: Progress) => void heard.push(progress) };
};

describe('progress', () => {
  it('extends an attempt: attemptTimeoutMs counts from the last of it', async () => {
    const { tx, server, clock } = await instance([{ ...slowly(700), progressAtMs: [200, 400] }], idempotent);
    const { meta } = await within(clock, 900, tx.callTool('pay', {}, { ...key, attemptTimeoutMs: 350 }));
    expect(meta.attempts).toBe(1);
    server.fates.push({ ...slowly(5_000), progressAtMs: [200, 400] });
    await within(clock, 990, tx.callTool('pay', {}, { attemptTimeoutMs: 350 }));
    expect(server.sends).toHaveLength(3);
    expect((server.sends[2]?.at ?? 0) - (server.sends[1]?.at ?? 0)).toBe(400 + 350 + 10);
  });

  it('[G:I5] never extends the deadline', async () => {
    for (const options of [{}, idempotent]) {
      const { tx, clock } = await instance([{ ...slowly(5_000), ...every200Ms }], options);
      const before = clock.monotonic();
      await within(clock, 2_000, tx.tryCallTool('pay', {}, { ...key, timeoutMs: 1_100, attemptTimeoutMs: 300 }));
      expect(clock.monotonic() - before).toBe(1_100);
    }
  });

  it('of an earlier send neither extends a later one nor is heard', async () => {
    const { tx, server, clock } = await instance(
      [{ ...fates.lostAnswer, progressAtMs: [320, 330, 500] }, fates.lostRequest],
      idempotent,
    );
    const { heard, onProgress } = listener();
    await within(clock, 990, tx.callTool('pay', {}, { onProgress, attemptTimeoutMs: 300 }));
    expect(server.sends.map((send) => send.at)).toEqual([0, 310, 630]);
    expect(heard).toEqual([]);
  });

  it('postpones the moment from which a probe’s "absent" is believed', async () => {
    const options = { settleGraceMs: 100, tools: { pay: { idempotent: true, probe: () => ({ verdict: 'absent' }) } } };
    const script = [{ progressAtMs: [250], afterMs: 650, ends: { lost: true } }];
    const { tx, clock, server } = await instance(script, { ...options, retry: { maxAttempts: 1 } } as never);
    // Sent at 0: without progress it would be dead from 300 + 100 + 100 on.
    const outcome = await within(clock, 990, tx.tryCallTool('pay', {}, { ...key, attemptTimeoutMs: 300 }));
    expect(outcome).toMatchObject({ ok: false, error: { execution: 'unknown' } });
    expect(server.sends).toHaveLength(1);
  });

  it('reaches every caller who joined the operation, each by its own listener, for as long as it waits', async () => {
    const { tx, server, clock } = await instance([{ ...slowly(900), ...every200Ms }]);
    const [first, late, patient, hasty] = [listener(), listener(), listener(), listener()];
    const leader = tx.callTool('pay', {}, { ...key, onProgress: first.onProgress });
    const two = tx.callTool('pay', {}, { ...key, onProgress: patient.onProgress });
    const three = tx.tryCallTool('pay', {}, { ...key, onProgress: hasty.onProgress, timeoutMs: 300 });
    await clock.advance(450);
    const four = tx.callTool('pay', {}, { ...key, onProgress: late.onProgress });
    await within(clock, 900, Promise.all([leader, two, three, four]));
    expect({ first: first.heard, patient: patient.heard, hasty: hasty.heard, late: late.heard }).toEqual({
      first: [1, 2, 3, 4],
      patient: [1, 2, 3, 4],
      hasty: [1],
      late: [3, 4],
    });
    expect(server.sends).toHaveLength(1);
  });

  it('that a listener throws at is reported as hook.failed and reaches neither the call nor the other callers', async () => {
    const { tx, clock } = await instance([{ ...slowly(300), progressAtMs: [100] }]);
    const failed: unknown[] = [];
    tx.on('hook.failed', (event) => failed.push(event));
    const throws = () => {
      throw new Error('listener');
    };
    const rejects = async () => {
      throw new Error('async listener');
    };
    const { heard, onProgress } = listener();
    const calls = [throws, rejects, onProgress].map((each) => tx.tryCallTool('pay', {}, { ...key, onProgress: each }));
    expect(await within(clock, 400, Promise.all(calls))).toMatchObject(Array(3).fill({ ok: true }));
    expect(heard).toEqual([1]);
    expect(failed).toMatchObject([
      { hook: 'onProgress of pay', error: { message: 'listener' } },
      { hook: 'onProgress of pay', error: { message: 'async listener' } },
    ]);
  });

  it('is not asked for where nobody can hear it and nothing depends on it', async () => {
    const { tx, server } = await instance();
    await tx.callTool('pay');
    await tx.callTool('pay', {}, key);
    expect(server.sends.map(({ onProgress }) => onProgress)).toEqual([undefined, undefined]);
  });
});
