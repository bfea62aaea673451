// I8: "nothing was executed" is said of the operation, not of this call alone. Until the ledger has answered for a key, another
// process may have run it long ago.
import { describe, expect, it } from 'vitest';
import type { McpTx } from '../../src/index.ts';
import { McpTxError } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { fates } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const unknown = { execution: 'unknown', reason: 'record-unknown', retryable: true };

/** The key has run, and then the ledger falls silent, or fails. */
async function ranBefore(claim: () => Promise<never>) {
  const one = await instance();
  await one.tx.callTool('pay', {}, key);
  const ledger = overrideLedger(one.ledger, { claim, find: claim });
  return { ...(await instance([], { ledger }, one)), effects: () => one.server.effectCount };
}

const silent = (): Promise<never> => new Promise(() => undefined);
const down = async (): Promise<never> => {
  throw new McpTxError('LEDGER_UNAVAILABLE', 'down');
};

describe('[G:I8] before the ledger has answered for a key, execution is unknown', () => {
  it.each([
    ['the deadline passes', silent, (tx: McpTx) => tx.tryCallTool('pay', {}, key), 'DEADLINE_EXCEEDED'],
    [
      'the caller aborts',
      silent,
      (tx: McpTx) => tx.tryCallTool('pay', {}, { ...key, signal: AbortSignal.timeout(1) }),
      'ABORTED',
    ],
    [
      'the caller had aborted before',
      silent,
      (tx: McpTx) => tx.tryCallTool('pay', {}, { ...key, signal: AbortSignal.abort() }),
      'ABORTED',
    ],
    ['the ledger is away', down, (tx: McpTx) => tx.tryCallTool('pay', {}, key), 'LEDGER_UNAVAILABLE'],
  ] as const)('when %s', async (_when, claim, call, code) => {
    const { tx, clock, effects } = await ranBefore(claim);
    const calling = call(tx);
    if (code === 'ABORTED') await calling;
    expect(await within(clock, 1_100, calling)).toMatchObject({ ok: false, error: { code, ...unknown } });
    expect(effects()).toBe(1);
  });

  it('when a gate refuses the call and the ledger cannot be asked', async () => {
    const one = await instance();
    await one.tx.callTool('pay', {}, key);
    const ledger = overrideLedger(one.ledger, { find: down });
    const { tx, clock } = await instance([fates.reset], { ledger, breaker: { failureThreshold: 1 } }, one);
    await within(clock, 100, tx.tryCallTool('read'));
    const refused = await within(clock, 100, tx.tryCallTool('pay', {}, key));
    expect(refused).toMatchObject({ ok: false, error: { code: 'LEDGER_UNAVAILABLE', ...unknown } });
  });

  it('when the deadline passes in line', async () => {
    const one = await instance();
    await one.tx.callTool('pay', {}, key);
    const { tx, clock } = await instance([fates.lostAnswer], { limits: { maxInFlight: 1 } }, one);
    void tx.tryCallTool('read', {}, { timeoutMs: 900 });
    const outcome = await within(clock, 400, tx.tryCallTool('pay', {}, { ...key, timeoutMs: 300 }));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'DEADLINE_EXCEEDED', ...unknown } });
  });

  it('when the lease is lost before anything was sent and the deadline passes', async () => {
    const base = await instance();
    let renewed = 0;
    const ledger = overrideLedger(base.ledger, {
      renewAll: async (leases) => {
        renewed += 1;
        return leases.map(() => false);
      },
    });
    const retry = { baseDelayMs: 700, maxDelayMs: 700, jitter: 'none' } as const;
    const { tx, clock } = await instance([fates.refused], { ledger, leaseMs: 300, retry, safetyMarginMs: 10 }, base);
    const outcome = await within(
      clock,
      1_100,
      tx.tryCallTool('pay', {}, { ...key, timeoutMs: 705, attemptTimeoutMs: 1 }),
    );
    expect(renewed).toBeGreaterThan(0);
    expect(outcome).not.toMatchObject({ error: { execution: 'none' } });
  });

  it('and none once it has answered that there is nothing', async () => {
    const { tx, clock } = await instance([fates.refused, fates.refused, fates.refused]);
    const outcome = await within(clock, 1_100, tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'CONNECTION_FAILED', execution: 'none' } });
  });
});
