// What an encrypted ledger stores, and what it says of what it cannot open. The store below is looked at directly.
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ClaimRequest, EncryptionOptions, Ledger, LedgerReader, Outcome } from '../../src/ledger.ts';
import {
  base32,
  encryptedLedger,
  isLedgerReader,
  isTransactionalLedger,
  memoryLedger,
  systemClock,
} from '../../src/ledger.ts';

const CANARY = 'sk-canary-4711';
const [OLD, NEW] = [
  { id: '2025', key: randomBytes(32) },
  { id: '2026', key: randomBytes(32) },
];
const DONE = { state: 'completed', result: JSON.stringify({ content: [{ type: 'text', text: CANARY }] }) } as const;
let now = Date.now();

function requestOf(name: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  const digest = createHash('sha256').update(name).digest();
  return {
    operationId: `op_${base32(digest.subarray(0, 16))}`,
    digest: digest.toString('hex'),
    ...{ scope: 'default', serverName: 'payments', tool: 'charge', idempotencyKey: name, requestId: name },
    ...{ ownerToken: name, state: 'sent', leaseMs: 1_000, mode: 'at-most-once', maxAttempts: 3, deadlineInMs: 30_000 },
    ...{ settleWindowMs: 0, retentionMs: 60_000, arguments: JSON.stringify({ card: CANARY }), ...more },
  };
}

type Store = Ledger & LedgerReader;
const newStore = (): Store => memoryLedger({ clock: { ...systemClock, now: () => now } });
const over = (store: Store, options: Partial<EncryptionOptions> = {}): Store =>
  encryptedLedger(store, { keys: [OLD], ...options });

async function completed(ledger: Ledger, name: string): Promise<string> {
  const claim = await ledger.claim(requestOf(name));
  if (claim.kind !== 'claimed') throw new Error(claim.kind);
  expect(await ledger.settle(claim.lease, DONE)).toBe(true);
  return claim.lease.operationId;
}

/** A store whose texts somebody has changed. */
function forged(store: Store, change: (text: string, operationId: string) => string): Store {
  const alter = <T extends { outcome?: Outcome; arguments?: string; operationId: string } | undefined>(
    record: T,
  ): T => {
    if (record === undefined) return record;
    const args = record.arguments === undefined ? {} : { arguments: change(record.arguments, record.operationId) };
    if (record.outcome?.state !== 'completed' || record.outcome.result === undefined) return { ...record, ...args };
    const outcome = { ...record.outcome, result: change(record.outcome.result, record.operationId) };
    return { ...record, ...args, outcome };
  };
  return {
    ...({ durability: 'process', shared: false } as Store),
    find: async (id) => alter(await store.find(id)),
    claim: async (request) => {
      const claim = await store.claim(request);
      return 'record' in claim ? { ...claim, record: alter(claim.record) } : claim;
    },
    sweep: async (limit) => (await store.sweep(limit)).map((one) => ({ ...one, record: alter(one.record) })),
    list: async (query) => ({ records: (await store.list(query)).records.map((record) => alter(record)) }),
  };
}

describe('what is stored', () => {
  it('shows neither arguments nor result, also while it is under way', async () => {
    const store = newStore();
    const ledger = over(store);
    const claim = await ledger.claim(requestOf('a'));
    const id = requestOf('a').operationId;
    expect(JSON.stringify(await store.find(id))).not.toContain(CANARY);
    expect((await ledger.find(id))?.arguments).toContain(CANARY);
    if (claim.kind === 'claimed') await ledger.settle(claim.lease, DONE);
    expect(JSON.stringify(await store.list({}))).not.toContain(CANARY);
    expect(await ledger.claim(requestOf('a'))).toMatchObject({ kind: 'replay', record: { outcome: DONE } });
    expect((await ledger.list({})).records).toMatchObject([{ outcome: DONE, arguments: requestOf('a').arguments }]);
  });

  it('is told apart by operation: equal texts look different', async () => {
    const store = newStore();
    const ledger = over(store);
    const [one, other] = [await completed(ledger, 'a'), await completed(ledger, 'b')];
    const [first, second] = [await store.find(one), await store.find(other)];
    expect(first?.arguments).not.toBe(second?.arguments);
    expect(first?.outcome).not.toEqual(second?.outcome);
  });

  it('has no arguments where the call did not ask for that', async () => {
    const store = newStore();
    const { arguments: _none, ...request } = requestOf('a');
    await over(store).claim(request);
    expect(await store.find(request.operationId)).not.toHaveProperty('arguments');
  });
});

describe('rotation', () => {
  it('encrypts with the newest key and reads with all', async () => {
    const store = newStore();
    const before = await completed(over(store), 'a');
    const rotated = over(store, { keys: [NEW, OLD] });
    const after = await completed(rotated, 'b');
    expect(await rotated.find(before)).toMatchObject({ outcome: DONE });
    expect((await store.find(before))?.arguments).toContain('.2025.');
    expect((await store.find(after))?.arguments).toContain('.2026.');
    expect(await over(store, { keys: [NEW] }).find(after)).toMatchObject({ outcome: DONE });
  });

  it('between an end and its repetition changes nothing: not lost, not contradicted', async () => {
    const store = newStore();
    const claim = await over(store).claim(requestOf('a'));
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    expect(await over(store).settle(claim.lease, DONE)).toBe(true);
    const rotated = over(store, { keys: [NEW, OLD] });
    expect(await rotated.settle(claim.lease, DONE)).toBe(true);
    const late = { outcome: DONE, by: 'late-answer', reason: 'late' } as const;
    expect(await rotated.resolve(claim.lease.operationId, late)).toMatchObject({
      kind: 'already',
      record: { outcome: DONE },
    });
    const other = { ...late, outcome: { ...DONE, result: '{}' } };
    expect(await rotated.resolve(claim.lease.operationId, other)).toMatchObject({ kind: 'contradicted' });
    expect(await rotated.settle(claim.lease, other.outcome)).toBe(false);
  });
});

describe('what cannot be opened', () => {
  const corrupt = (reason: string) => ({ code: 'LEDGER_CORRUPT', reason, retryable: false });

  it('for want of the key is an error on every way to it, and so is what another key of that id has sealed', async () => {
    const store = newStore();
    const id = await completed(over(store), 'a');
    const without = over(store, { keys: [NEW] });
    for (const way of [() => without.find(id), () => without.claim(requestOf('a')), () => without.list({})])
      await expect(way()).rejects.toMatchObject({ ...corrupt('key-missing'), operationId: id });
    const wrong = over(store, { keys: [{ id: OLD.id, key: randomBytes(32) }] });
    await expect(wrong.claim(requestOf('a'))).rejects.toMatchObject(corrupt('tampered'));
  });

  it('for a flipped bit, a cut end or a text of another operation is an error too', async () => {
    const store = newStore();
    const [id, other] = [await completed(over(store), 'a'), await completed(over(store), 'b')];
    const theirs = (await store.find(other))?.arguments ?? '';
    const flip = (at: number) => (text: string) => {
      const [mark, key, body = ''] = text.split('.');
      const bytes = Buffer.from(body, 'base64url');
      const place = at < 0 ? bytes.length + at : at;
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      return `${mark}.${key}.${bytes.toString('base64url')}`;
    };
    const changes: ((text: string) => string)[] = [0, 5, 11, 12, 20, -17, -16, -1].map(flip);
    changes.push(
      (text) => text.slice(0, -4),
      (text) => text.slice(0, 24),
      () => theirs,
    );
    for (const change of changes)
      await expect(over(forged(store, change)).claim(requestOf('a'))).rejects.toMatchObject(corrupt('tampered'));
    expect(await over(forged(store, (text) => text)).find(id)).toMatchObject({ outcome: DONE });
  });

  it('for being in plain text is an error, unless that is accepted', async () => {
    const store = newStore();
    const id = await completed(store, 'a');
    await expect(over(store).find(id)).rejects.toMatchObject(corrupt('not-encrypted'));
    const accepting = over(store, { plainText: 'accept' });
    expect(await accepting.find(id)).toMatchObject({ outcome: DONE });
    const late = { outcome: DONE, by: 'late-answer', reason: 'late' } as const;
    expect(await accepting.resolve(id, late)).toMatchObject({ kind: 'already' });
  });

  it('is left alone by a sweep, which goes on with the others; nothing is run without its arguments', async () => {
    const store = newStore();
    for (const name of ['a', 'b', 'c'])
      await over(store).claim(requestOf(name, { state: name === 'c' ? 'sent' : 'claimed' }));
    now += 2_000;
    const [bad, doubt] = [requestOf('a').operationId, requestOf('c').operationId];
    const told: string[] = [];
    const onUnreadable = (id: string): void => void told.push(id);
    const swept = await over(
      forged(store, (text, id) => (id === bad || id === doubt ? `${text}AAAA` : text)),
      { onUnreadable },
    ).sweep(10);
    expect(swept.map(({ action, record }) => [action, record.idempotencyKey, record.arguments])).toEqual([
      ['in_doubt', 'c', undefined],
      ['runnable', 'b', requestOf('b').arguments],
    ]);
    expect(told.toSorted()).toEqual([bad, doubt].toSorted());
  });
});

describe('the ledger', () => {
  it('keeps the parts that it has, and no others', async () => {
    const ledger = over(newStore());
    expect([isLedgerReader(ledger), isTransactionalLedger(ledger)]).toEqual([true, false]);
    expect(ledger).toMatchObject({ durability: 'process', shared: false, createdAt: expect.any(Number) });
    expect(await ledger.stats({})).toMatchObject({ total: 0 });
    await ledger.close();
    await expect(ledger.find('op_')).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
  });

  it.each([
    [{ keys: [] }, 'empty'],
    [{}, 'list'],
    [{ keys: [OLD, { ...OLD }] }, 'same id'],
    [{ keys: [{ id: 'a.b', key: OLD.key }] }, 'id of a key'],
    [{ keys: [{ id: 'a', key: randomBytes(16) }] }, '32 bytes'],
    [{ keys: [{ id: 'a', key: 'x'.repeat(32) }] }, '32 bytes'],
    [{ keys: [OLD], plainText: 'maybe' }, 'plainText'],
  ])('refuses %j', (options, word) => {
    const refused = expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(word) });
    expect(() => encryptedLedger(newStore(), options as never)).toThrow(refused);
  });
});
