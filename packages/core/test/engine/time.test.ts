import { describe, expect, it } from 'vitest';
import { McpTxError } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const stateOf = async (i: Awaited<ReturnType<typeof instance>>) => (await i.ledger.list({})).records[0]?.state;

describe('the deadline', () => {
  it('[G:I5] answers exactly when it passes, whatever the server does', async () => {
    for (const [fate, options] of [
      [fates.lostRequest, {}],
      [fates.lostRequest, { tools: { pay: { idempotent: true } } }],
      [slowly(5_000), {}],
    ] as const) {
      const { tx, clock } = await instance([fate, fate, fate], options);
      const before = clock.monotonic();
      await within(clock, 2_000, tx.tryCallTool('pay', {}, { ...key, timeoutMs: 700 }));
      expect(clock.monotonic() - before).toBe(700);
    }
  });

  it('[G:I5] bounds the ledger, too: nothing is sent when the claim does not come back in time', async () => {
    const { ledger, clock, server } = await instance();
    const slow = Object.create(ledger, { claim: { value: () => new Promise(() => undefined) } });
    const { tx } = await instance([], { ledger: slow }, { tx: undefined as never, server, clock, ledger });
    const outcome = await within(clock, 2_000, tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'DEADLINE_EXCEEDED', execution: 'unknown', reason: 'record-unknown', retryable: true },
    });
    const keyless = await within(clock, 2_000, tx.tryCallTool('pay'));
    expect(keyless).toMatchObject({ ok: false, error: { code: 'DEADLINE_EXCEEDED', execution: 'none' } });
    expect(server.sends).toHaveLength(0);
  });

  it('tells the server how much of it is left', async () => {
    const { tx, server } = await instance();
    await tx.callTool('pay', {}, { timeoutMs: 640 });
    expect({ x: server.sends[0]?.identity }).toMatchObject({
      x: { attempt: 1, remainingMs: 640 },
    });
  });

  it('starts no send that could not be answered any more', async () => {
    const { tx, server, clock } = await instance([fates.refused], { retry: { baseDelayMs: 2_000, jitter: 'none' } });
    const outcome = await within(clock, 100, tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'CONNECTION_FAILED', execution: 'none' } });
    expect(server.sends).toHaveLength(1);
  });
});

describe('after the deadline of an unsafe call', () => {
  it('cancels nothing, listens on, and settles with the late answer', async () => {
    const i = await instance([slowly(1_200)]);
    const outcome = await within(i.clock, 1_100, i.tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'timeout', execution: 'unknown' } });
    expect(await stateOf(i)).toBe('sent');
    await i.clock.advance(300);
    expect(await stateOf(i)).toBe('completed');
    expect(i.server.sends[0]?.cancelled).toBeUndefined();
    const repeat = await i.tx.callTool('pay', {}, key);
    expect(repeat.meta).toMatchObject({ duplicate: true, execution: 'done' });
    expect(i.server.effectCount).toBe(1);
  });

  it('is in doubt once the grace is over', async () => {
    const i = await instance([fates.lostAnswer]);
    await within(i.clock, 1_100, i.tx.tryCallTool('pay', {}, key));
    await i.clock.advance(490);
    expect(await stateOf(i)).toBe('sent');
    await i.clock.advance(20);
    expect(await stateOf(i)).toBe('in_doubt');
  });

  it('lets a caller who comes meanwhile wait for the same answer', async () => {
    const i = await instance([slowly(1_200)]);
    await within(i.clock, 1_100, i.tx.tryCallTool('pay', {}, key));
    const second = await within(i.clock, 500, i.tx.callTool('pay', {}, key));
    expect(second.meta).toMatchObject({ duplicate: true, attempts: 1 });
    expect(i.server.sends).toHaveLength(1);
  });
});

describe('the caller’s abort', () => {
  it('before anything is sent: nothing is, and the key stays usable', async () => {
    const { tx, server, clock } = await instance([fates.refused]);
    const abort = new AbortController();
    const call = tx.tryCallTool('pay', {}, { ...key, signal: abort.signal });
    await clock.advance(5);
    abort.abort();
    expect(await within(clock, 1, call)).toMatchObject({
      ok: false,
      error: { code: 'ABORTED', execution: 'none', retryable: true },
    });
    await clock.advance(100);
    expect(server.sends).toHaveLength(1);
    expect(await within(clock, 100, tx.tryCallTool('pay', {}, key))).toMatchObject({ ok: true });
  });

  it('after an unsafe send: detaches, and the answer is kept for the next who asks', async () => {
    const { tx, server, clock } = await instance([slowly(100)]);
    const abort = new AbortController();
    const call = tx.tryCallTool('pay', {}, { ...key, signal: abort.signal });
    await clock.advance(10);
    abort.abort();
    expect(await within(clock, 1, call)).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'aborted' } });
    await clock.advance(200);
    expect(server.sends[0]?.cancelled).toBeUndefined();
    expect((await tx.callTool('pay', {}, key)).meta.duplicate).toBe(true);
  });

  it('cancels the send when asked to, and then it is in doubt', async () => {
    const i = await instance([slowly(100)]);
    const abort = new AbortController();
    const call = i.tx.tryCallTool('pay', {}, { ...key, signal: abort.signal, onAbort: 'cancel' });
    await i.clock.advance(10);
    abort.abort();
    await within(i.clock, 1, call);
    await i.clock.settle();
    expect(i.server.sends[0]?.cancelled).toBe('the caller aborted');
    expect(await stateOf(i)).toBe('in_doubt');
  });

  it('with a signal that is aborted already: nothing happens at all', async () => {
    const i = await instance();
    const outcome = await i.tx.tryCallTool('pay', {}, { ...key, signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
    expect(await stateOf(i)).toBeUndefined();
  });

  it('[G:I12] leaves no listener on a signal that lives on', async () => {
    const { tx } = await instance();
    const listeners = new Set<unknown>();
    const signal = {
      aborted: false,
      addEventListener: (_: string, l: unknown) => listeners.add(l),
      removeEventListener: (_: string, l: unknown) => listeners.delete(l),
    };
    for (let n = 0; n < 50; n += 1) await tx.callTool('pay', {}, { signal: signal as never });
    expect(listeners.size).toBe(0);
  });
});

describe('a ledger that is away', () => {
  const outage = () => {
    const state = { down: false, writes: 0 };
    const wrap = (ledger: object, ...names: string[]) =>
      new Proxy(ledger, {
        get(target, name) {
          const member = Reflect.get(target, name) as unknown;
          if (typeof member !== 'function') return member;
          return async (...args: unknown[]) => {
            if (state.down && names.includes(String(name))) throw new McpTxError('LEDGER_UNAVAILABLE', 'down');
            state.writes += 1;
            return (member as (...all: unknown[]) => unknown).apply(target, args);
          };
        },
      });
    return { state, wrap };
  };

  it('at the claim: fails closed, sends nothing, leaves no record', async () => {
    const { state, wrap } = outage();
    const base = await instance();
    const i = await instance([], { ledger: wrap(base.ledger, 'claim') as never }, base);
    state.down = true;
    const outcome = await within(i.clock, 500, i.tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'LEDGER_UNAVAILABLE', execution: 'unknown', reason: 'record-unknown', retryable: true },
    });
    expect(await within(i.clock, 500, i.tx.tryCallTool('pay'))).toMatchObject({
      ok: false,
      error: { code: 'LEDGER_UNAVAILABLE', execution: 'none', retryable: true },
    });
    expect(i.server.sends).toHaveLength(0);
    state.down = false;
    await i.clock.advance(10_000);
    expect(await within(i.clock, 500, i.tx.tryCallTool('pay', {}, key))).toMatchObject({ ok: true });
  });

  it('at the claim of a read, where so configured: runs it unrecorded', async () => {
    const { state, wrap } = outage();
    const base = await instance();
    const more = {
      ledger: wrap(base.ledger, 'claim') as never,
      readOnlyWithoutLedger: true,
      tools: { read: { readOnly: true } },
    };
    const i = await instance([], more, base);
    state.down = true;
    const outcome = await within(i.clock, 500, i.tx.tryCallTool('read', {}, key));
    expect(outcome).toMatchObject({ ok: true, meta: { recorded: false, execution: 'done' } });
  });

  it('at the settle: gives the result at the deadline as not recorded, and goes on writing it', async () => {
    const { state, wrap } = outage();
    const base = await instance();
    const i = await instance([slowly(50)], { ledger: wrap(base.ledger, 'settle') as never }, base);
    state.down = true;
    const outcome = await within(i.clock, 1_100, i.tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: true, meta: { recorded: false, execution: 'done' } });
    expect(await stateOf(i)).toBe('sent');
    state.down = false;
    await i.clock.advance(3_000);
    expect(await stateOf(i)).toBe('completed');
    expect(i.server.effectCount).toBe(1);
  });
});
