// What only the memory ledger has: its cap, its ring of keyless records, its own copies. The rest is the contract's.
import { describe, expect, test } from 'vitest';
import type { ClaimRequest, Lease } from '../../src/ledger/ledger.ts';
import type { MemoryLedgerOptions } from '../../src/ledger/memory-ledger.ts';
import { memoryLedger } from '../../src/ledger/memory-ledger.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const done = (n: number) => ({ state: 'completed', result: `{"n":${n}}` }) as const;

function request(n: number, more: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    operationId: `op_${String(n).padStart(26, 'a')}`,
    digest: n.toString(16).padStart(64, '0'),
    scope: 'default',
    serverName: 'payments',
    tool: 'charge',
    requestId: `request-${n}`,
    ownerToken: `owner-${n}`,
    state: 'sent',
    leaseMs: 15_000,
    mode: 'at-most-once',
    maxAttempts: 3,
    deadlineInMs: 30_000,
    settleWindowMs: 60_000,
    retentionMs: 1_000,
    ...more,
  };
}

const keyed = (n: number, more: Partial<ClaimRequest> = {}): ClaimRequest =>
  request(n, { idempotencyKey: `key-${n}`, ...more });

function ledgerAt(options: MemoryLedgerOptions = {}) {
  const time = { now: 0 };
  const ledger = memoryLedger({ ...options, clock: { ...systemClock, now: () => time.now } });
  const drive = async (asked: ClaimRequest): Promise<Lease> => {
    const claim = await ledger.claim(asked);
    if (claim.kind !== 'claimed') throw new Error(`expected a lease, got ${claim.kind}`);
    return claim.lease;
  };
  return { ledger, time, drive };
}

describe('the cap', () => {
  test('a claim beyond it is refused and says what to do; nothing is forgotten for it', async () => {
    const { ledger, drive } = ledgerAt({ maxRecords: 2 });
    await ledger.settle(await drive(keyed(1)), done(1));
    await drive(keyed(2));
    await expect(async () => ledger.claim(keyed(3))).rejects.toMatchObject({ code: 'LEDGER_FULL', execution: 'none' });
    await expect(async () => ledger.claim(request(4))).rejects.toThrow(
      /maxRecords, .* raise maxRecords, shorten retentionMs/s,
    );
    expect(await ledger.claim(keyed(1))).toMatchObject({ kind: 'replay' });
    expect(await ledger.claim(keyed(2, { ownerToken: 'other' }))).toMatchObject({ kind: 'busy' });
  });

  test('there is room again once a retention has passed, and no key came back early', async () => {
    const { ledger, time, drive } = ledgerAt({ maxRecords: 1 });
    await ledger.settle(await drive(keyed(1)), done(1));
    time.now = 999;
    await expect(async () => ledger.claim(keyed(2))).rejects.toMatchObject({ code: 'LEDGER_FULL' });
    time.now = 1_000;
    await drive(keyed(2));
    expect(await ledger.claim(keyed(1))).toEqual({ kind: 'expired' });
  });

  test('ended records without a key make room at once', async () => {
    const { ledger, drive } = ledgerAt({ maxRecords: 1 });
    await ledger.settle(await drive(request(1)), done(1));
    await drive(keyed(2));
    expect(await ledger.find(request(1).operationId)).toBeUndefined();
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('maxRecords %s is refused by name', (maxRecords) => {
    expect(() => memoryLedger({ maxRecords })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => memoryLedger({ maxRecords })).toThrow(/maxRecords/);
  });
});

describe('records without a key', () => {
  test('the latest 200 ended ones stay listable', async () => {
    const { ledger, drive } = ledgerAt();
    for (let n = 0; n < 1_500; n += 1) await ledger.settle(await drive(request(n)), done(n));
    expect((await ledger.stats({})).byState).toMatchObject({ completed: 200, sent: 0 });
    const { records } = await ledger.list({ limit: 1_000 });
    expect([records[0]?.requestId, records.at(-1)?.requestId]).toEqual(['request-1499', 'request-1300']);
  });

  test('released ones go the same way, so that a server that is down fills nothing', async () => {
    const { ledger, drive } = ledgerAt({ maxRecords: 300 });
    for (let n = 0; n < 3_000; n += 1) await ledger.release(await drive(request(n)), { attempts: 0, hold: false });
    expect((await ledger.stats({})).total).toBe(200);
  });

  test('open and in-doubt ones are never pushed out', async () => {
    const { ledger, drive } = ledgerAt();
    await drive(request(1, { state: 'claimed' }));
    await drive(request(2));
    await ledger.settle(await drive(request(3)), { state: 'in_doubt', reason: 'timeout' });
    for (let n = 10; n < 2_010; n += 1) await ledger.settle(await drive(request(n)), done(n));
    expect((await ledger.stats({})).byState).toMatchObject({ claimed: 1, sent: 1, in_doubt: 1, completed: 200 });
  });
});

describe('housekeeping needs no call of purge', () => {
  test('10,000 keys that come and expire leave no more entries than live at once', async () => {
    const { ledger, time, drive } = ledgerAt({ maxRecords: 150 });
    for (let n = 0; n < 10_000; n += 1) {
      time.now += 10; // 100 keys a second, each kept for one second
      await ledger.settle(await drive(keyed(n)), done(n));
    }
    expect((await ledger.stats({})).total).toBeLessThanOrEqual(150);
    time.now += 12_000;
    // What is left, records and tombstones, is over now: all of it goes, and it was no more than 11 s of keys.
    expect(await ledger.purge(time.now, 1_000_000)).toBeLessThanOrEqual(1_300);
    expect(await ledger.purge(time.now, 1_000_000)).toBe(0);
  });
});

test('an expired entry counts as gone even when housekeeping has not come to it', async () => {
  const { ledger, time, drive } = ledgerAt();
  for (let n = 0; n < 500; n += 1) await ledger.settle(await drive(keyed(n)), done(n));
  time.now = 1_000;
  expect(await ledger.claim(keyed(499))).toEqual({ kind: 'expired' });
  for (let n = 0; n < 10; n += 1) await ledger.claim(keyed(498)); // each lets go of a few
  time.now = 11_000;
  expect(await ledger.claim(keyed(499))).toMatchObject({ kind: 'claimed' });
  expect(await ledger.claim(keyed(498))).toMatchObject({ kind: 'claimed' });
});

describe('nobody shares an object with the ledger', () => {
  test('changing a settled error, or one that was handed out, changes nothing', async () => {
    const { ledger, drive } = ledgerAt();
    const serverData = { reason: 'first' };
    const outcome = { state: 'failed', error: { code: 'REJECTED', message: 'no', serverData } } as const;
    await ledger.settle(await drive(keyed(1)), outcome);
    serverData.reason = 'changed by the caller';
    const first: unknown = await ledger.find(keyed(1).operationId);
    (first as { outcome: typeof outcome }).outcome.error.serverData.reason = 'changed by a reader';
    const second = await ledger.find(keyed(1).operationId);
    expect(second?.outcome).toEqual({
      state: 'failed',
      error: { code: 'REJECTED', message: 'no', serverData: { reason: 'first' } },
    });
  });

  test('a record that was handed out does not change with the operation', async () => {
    const { ledger, drive } = ledgerAt();
    const lease = await drive(keyed(1));
    const before = await ledger.find(keyed(1).operationId);
    await ledger.settle(lease, done(1));
    expect(before).toMatchObject({ state: 'sent' });
    expect(before).not.toHaveProperty('outcome');
  });
});

test('it says that it is neither durable nor shared', () => {
  expect(memoryLedger()).toMatchObject({ durability: 'process', shared: false });
});

test('await using closes it', async () => {
  let kept: ReturnType<typeof memoryLedger>;
  {
    await using ledger = memoryLedger();
    kept = ledger;
  }
  await expect(kept.find('op_x')).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
});
