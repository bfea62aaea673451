// Quotas per scope: who is refused, who is not, and how far off a count may be.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toProblem } from '../../src/hosts/problem.ts';
import { createMcpTx } from '../../src/index.ts';
import type { Claim, ClaimRequest, Ledger, LedgerReader } from '../../src/ledger.ts';
import { base32, memoryLedger, quotaLedger, systemClock } from '../../src/ledger.ts';

const DONE = { state: 'completed', result: '{}' } as const;
const FULL = { code: 'LEDGER_FULL', reason: 'scope-quota', execution: 'none', retryable: true };

function requestOf(name: string, scope = 'acme'): ClaimRequest {
  const digest = createHash('sha256').update(`${scope} ${name}`).digest();
  return {
    operationId: `op_${base32(digest.subarray(0, 16))}`,
    digest: digest.toString('hex'),
    ...{ scope, serverName: 'payments', tool: 'charge', idempotencyKey: name, requestId: name, ownerToken: name },
    ...{ state: 'sent', leaseMs: 1_000, mode: 'at-most-once', maxAttempts: 3, deadlineInMs: 30_000 },
    ...{ settleWindowMs: 0, retentionMs: 60_000 },
  };
}

/** A store with the time of its counts, and how often it was counted. */
function world() {
  const state = { monotonic: 0, counts: 0 };
  const store = memoryLedger();
  const counted = Object.assign(Object.create(store) as Ledger & LedgerReader, {
    claim: (request: ClaimRequest) => store.claim(request),
    find: (id: string) => store.find(id),
    stats: (query: object) => {
      state.counts += 1;
      return store.stats(query);
    },
  });
  const clock = { ...systemClock, monotonic: () => state.monotonic };
  const limited = (options: object): Ledger & LedgerReader => quotaLedger(counted, { clock, ...options });
  return { state, store, limited };
}

async function end(store: Ledger, claim: Claim): Promise<void> {
  if (claim.kind === 'claimed') await store.settle(claim.lease, DONE);
}

describe('a scope that holds its fill', () => {
  it('is refused what is new, is answered what it has, and others notice nothing', async () => {
    const { store, limited } = world();
    const ledger = limited({ maxHeldPerScope: 3 });
    for (const name of ['1', '2', '3']) await end(store, await ledger.claim(requestOf(name)));
    await expect(ledger.claim(requestOf('4'))).rejects.toMatchObject(FULL);
    expect(await store.find(requestOf('4').operationId)).toBeUndefined();
    expect(await ledger.claim(requestOf('1'))).toMatchObject({ kind: 'replay' });
    expect(await ledger.claim(requestOf('4', 'other'))).toMatchObject({ kind: 'claimed' });
  });

  it('may go on once records are gone, and need not wait for the next count', async () => {
    const { state, store, limited } = world();
    const ledger = limited({ maxHeldPerScope: 1, recountMs: 60_000 });
    await end(store, await ledger.claim(requestOf('1')));
    await expect(ledger.claim(requestOf('2'))).rejects.toMatchObject(FULL);
    await store.purge(Date.now() + 120_000, 10);
    state.monotonic += 300;
    expect(await ledger.claim(requestOf('2'))).toMatchObject({ kind: 'claimed' });
  });
});

describe('a scope with too much under way', () => {
  it('is refused until something ends; what was given back can be driven again', async () => {
    const { state, store, limited } = world();
    const ledger = limited({ maxOpenPerScope: 2 });
    const claims = [await ledger.claim(requestOf('1')), await ledger.claim(requestOf('2'))];
    await expect(ledger.claim(requestOf('3'))).rejects.toMatchObject(FULL);
    if (claims[0]?.kind === 'claimed') await store.release(claims[0].lease, { attempts: 0, hold: false });
    expect(await ledger.claim(requestOf('1'))).toMatchObject({ kind: 'claimed' });
    if (claims[1] !== undefined) await end(store, claims[1]);
    state.monotonic += 300;
    expect(await ledger.claim(requestOf('3'))).toMatchObject({ kind: 'claimed' });
  });

  it('cannot slip through by coming all at once', async () => {
    const { limited, state } = world();
    const ledger = limited({ maxOpenPerScope: 5 });
    const all = Array.from({ length: 50 }, async (_, n) => ledger.claim(requestOf(`${n}`)));
    const kinds = await Promise.all(
      all.map((one) =>
        one.then(
          ({ kind }) => kind,
          (error) => error.code,
        ),
      ),
    );
    expect(kinds.filter((kind) => kind === 'claimed')).toHaveLength(5);
    expect(kinds.filter((kind) => kind === 'LEDGER_FULL')).toHaveLength(45);
    expect(state.counts).toBe(1);
  });
});

it('a call over the quota sends nothing and says so; over HTTP it is 429', async () => {
  let sends = 0;
  const client = {
    callTool: async () => {
      sends += 1;
      return { content: [] };
    },
    listTools: async () => ({ tools: [{ name: 'charge', inputSchema: { type: 'object' } }] }),
    close: async () => undefined,
  };
  const ledger = quotaLedger(memoryLedger(), { maxHeldPerScope: 1 });
  const tx = createMcpTx({ name: 'payments', server: client as never, ledger, sweepIntervalMs: 0 });
  await tx.callTool('charge', {}, { idempotencyKey: '1', scope: 'acme' });
  const error = await tx.callTool('charge', {}, { idempotencyKey: '2', scope: 'acme' }).catch((thrown) => thrown);
  expect(error).toMatchObject(FULL);
  expect(toProblem(error)).toMatchObject({ status: 429, code: 'LEDGER_FULL', execution: 'none', retryable: true });
  expect(await tx.callTool('charge', {}, { idempotencyKey: '1', scope: 'acme' })).toMatchObject({
    meta: { duplicate: true },
  });
  await tx.callTool('charge', {}, { idempotencyKey: '2', scope: 'other' });
  expect(sends).toBe(2);
  await tx.close();
});

it('counts seldom, and corrects itself', async () => {
  const { state, store, limited } = world();
  const ledger = limited({ maxHeldPerScope: 100, recountMs: 1_000 });
  for (let n = 0; n < 50; n += 1) await ledger.claim(requestOf(`${n}`));
  for (let n = 0; n < 50; n += 1) await Promise.resolve(ledger.claim(requestOf('1', 'acme'))).catch(() => undefined);
  expect(state.counts).toBe(1);
  for (let n = 50; n < 100; n += 1) await store.claim(requestOf(`${n}`)); // another process
  state.monotonic += 1_000;
  await expect(ledger.claim(requestOf('100'))).rejects.toMatchObject(FULL);
  expect(state.counts).toBe(2);
});

it.each([
  [{}, 'give'],
  [{ maxHeldPerScope: 0 }, 'maxHeldPerScope'],
  [{ maxOpenPerScope: 1.5 }, 'maxOpenPerScope'],
  [{ maxOpenPerScope: 1, recountMs: -1 }, 'recountMs'],
])('refuses %j', (options, word) => {
  const refused = expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(word) });
  expect(() => quotaLedger(memoryLedger(), options)).toThrow(refused);
});
