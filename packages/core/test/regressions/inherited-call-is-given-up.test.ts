// A new owner that was kept from its first send, by its ledger, its lease, its own shutdown or a host that let go of the call, settled it
// in doubt, though whoever came next could have sent it again safely.
import { expect, it } from 'vitest';
import type { McpTxOptions } from '../../src/index.ts';
import type { Ledger } from '../../src/ledger.ts';
import type { Instance } from '../support/instance.ts';
import { crashed, instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import type { Fate } from '../support/scripted-connection.ts';
import { fates } from '../support/scripted-connection.ts';

const KEY = { idempotencyKey: 'order:1' };

/** A call was sent, its owner is gone, its lease has run out; and an instance that comes upon it. */
async function leftBehind(
  options: Partial<McpTxOptions>,
  methods: Partial<Ledger> = {},
): Promise<{ readonly dead: Instance; readonly next: Instance }> {
  const all = { tools: { pay: { idempotent: true } }, timeoutMs: 30_000, breaker: false, ...options } as const;
  const dead = await crashed([fates.lostRequest], (tx) => tx.tryCallTool('pay', {}, KEY), all);
  await dead.clock.advance(40_000);
  const next = await instance([], { ...all, ledger: overrideLedger(dead.ledger, methods) }, dead);
  return { dead, next };
}

/** Sent by the next instance. */
async function expectRepeat(dead: Instance, afterMs: number): Promise<void> {
  const { tx, clock, server } = await instance([], { tools: { pay: { idempotent: true } }, timeoutMs: 30_000 }, dead);
  await clock.advance(afterMs);
  expect(await within(clock, 500, tx.tryCallTool('pay', {}, KEY))).toMatchObject({ ok: true });
  expect(server.sends).toHaveLength(2);
}

const away = (): never => {
  throw new Error('away');
};

it('[G:I10] its ledger takes no mark: the caller is told, and the call is left to the next owner', async () => {
  const { dead, next } = await leftBehind({}, { markSent: away });
  const told = await within(next.clock, 5_000, next.tx.tryCallTool('pay', {}, KEY));
  const error = { code: 'LEDGER_UNAVAILABLE', execution: 'unknown', retryable: true, reason: 'owner-lost' };
  expect(told).toMatchObject({ ok: false, error });
  expect(dead.server.sends).toHaveLength(1);
  await expectRepeat(dead, 4_000);
});

it('[G:I10] another one takes it over while it waits: it follows that one', async () => {
  const retry = { baseDelayMs: 5_000, maxDelayMs: 5_000, jitter: 'none' } as const;
  const renewAll = () => Promise.reject(new Error('away'));
  const { dead, next } = await leftBehind({ retry }, { renewAll });
  const waiting = next.tx.tryCallTool('pay', {}, KEY);
  await expectRepeat(dead, 4_000); // its lease has ended
  expect(await within(next.clock, 5_000, waiting)).toMatchObject({ ok: true, meta: { duplicate: true } });
  expect(dead.server.sends).toHaveLength(2);
});

it('[G:I10] it is closed while it waits: the call is left to the next owner', async () => {
  const retry = { baseDelayMs: 2_000, maxDelayMs: 2_000, jitter: 'none' } as const;
  const { dead, next } = await leftBehind({ retry });
  const waiting = next.tx.tryCallTool('pay', {}, KEY);
  await next.clock.advance(100);
  const closed = next.tx.close({ graceMs: 0 });
  expect(await within(next.clock, 1_000, waiting)).toMatchObject({ ok: false, error: { execution: 'unknown' } });
  await within(next.clock, 1_000, closed);
  await expectRepeat(dead, 4_000);
});

/** The next owner waits for its first send, and its caller has gone away; after so many turns of the microtask queue. */
async function letGo(onAbort: 'detach' | 'cancel', turns = 0) {
  const retry = { baseDelayMs: 2_000, maxDelayMs: 2_000, jitter: 'none' } as const;
  const { dead, next } = await leftBehind({ retry });
  const host = new AbortController();
  const waiting = next.tx.tryCallTool('pay', {}, { ...KEY, onAbort, signal: host.signal });
  await next.clock.advance(100);
  host.abort();
  for (let turn = 0; turn < turns; turn += 1) await undefined;
  return { dead, next, waiting };
}

it('[G:I10] its host lets go of the call while it waits: the call is left to the next owner', async () => {
  const { dead, next, waiting } = await letGo('detach');
  const error = { code: 'IN_DOUBT', execution: 'unknown', reason: 'aborted' };
  expect(await within(next.clock, 1_000, waiting)).toMatchObject({ ok: false, error });
  await next.clock.advance(100);
  expect((await next.ledger.list({})).records).toMatchObject([{ state: 'sent', attempts: 1 }]);
  await expectRepeat(dead, 4_000);
});

it('[G:I10] so is one that this owner has sent itself, when its connection was lost', async () => {
  const tools = { pay: { idempotent: true } };
  const retry = { baseDelayMs: 2_000, maxDelayMs: 2_000, jitter: 'none' } as const;
  const one = await instance([fates.reset], { tools, timeoutMs: 30_000, retry, breaker: false });
  const host = new AbortController();
  const waiting = one.tx.tryCallTool('pay', {}, { ...KEY, onAbort: 'detach', signal: host.signal });
  await one.clock.advance(500);
  host.abort();
  expect(await within(one.clock, 1_000, waiting)).toMatchObject({ ok: false, error: { execution: 'unknown' } });
  await one.clock.advance(100);
  expect((await one.ledger.list({})).records).toMatchObject([{ state: 'sent', attempts: 1 }]);
  await expectRepeat(one, 4_000);
});

it('[G:I10] and where nobody comes, it is in doubt once its deadline has passed', async () => {
  const { next } = await letGo('detach');
  await next.clock.advance(60_000);
  for (let n = 0; n < 2; n += 1) await within(next.clock, 1_000, next.tx.sweep());
  expect((await next.ledger.list({})).records).toMatchObject([
    { state: 'in_doubt', outcome: { reason: 'owner-lost' } },
  ]);
});

it('[G:I10] a caller that comes just then is the next owner', async () => {
  for (let turns = 0; turns < 20; turns += 1) {
    const { dead, next } = await letGo('detach', turns);
    const told = await within(next.clock, 6_000, next.tx.tryCallTool('pay', {}, KEY));
    expect(told, `${turns} turns later`).toMatchObject({ ok: true, meta: { attempts: 2 } });
    expect(dead.server.sends).toHaveLength(2);
  }
});

it('its caller cancels it: it is in doubt', async () => {
  const { next, waiting } = await letGo('cancel');
  await within(next.clock, 1_000, waiting);
  await next.clock.advance(100);
  expect((await next.ledger.list({})).records).toMatchObject([{ state: 'in_doubt', attempts: 1 }]);
});

/** Its first mark takes longer than its lease lasts. */
async function afterSlowMark(then: readonly Fate[]) {
  const { dead, next } = await leftBehind({});
  let isFirst = true;
  const events: string[] = [];
  const slow = overrideLedger(dead.ledger, {
    renewAll: () => Promise.reject(new Error('away')),
    async markSent(...mark) {
      const marked = await dead.ledger.markSent(...mark);
      if (isFirst) await new Promise<void>((resolve) => void next.clock.timer(2_990, resolve));
      isFirst = false;
      return marked;
    },
  });
  const { tx } = await instance(
    then,
    { tools: { pay: { idempotent: true } }, timeoutMs: 9_000, breaker: false, ledger: slow },
    next,
  );
  tx.on('lease.lost', () => void events.push('lease.lost'));
  const told = await within(next.clock, 15_000, tx.tryCallTool('pay', {}, KEY));
  expect(events).toEqual(['lease.lost']);
  return { told, dead };
}

it('[G:I10] its lease ran out while it marked the send: it renews it, and sends', async () => {
  const { told, dead } = await afterSlowMark([]);
  expect(told).toMatchObject({ ok: true, meta: { attempts: 2 } });
  expect(dead.server.sends).toHaveLength(2);
});

it('[G:I3] nor does it forget meanwhile that a former owner has sent it', async () => {
  const { told } = await afterSlowMark([fates.refused, fates.refused, fates.refused]);
  expect(told).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', execution: 'unknown' } });
});

it('one that must not be repeated is in doubt', async () => {
  const { dead, next } = await leftBehind({ tools: {} }, { markSent: away });
  const told = await within(next.clock, 5_000, next.tx.tryCallTool('pay', {}, KEY));
  expect(told).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'owner-lost' } });
  expect(dead.server.sends).toHaveLength(1);
});
