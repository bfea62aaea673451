// An encrypted ledger is a ledger: the whole contract, over the memory ledger, of which the raw records are seen sealed.
import { randomBytes } from 'node:crypto';
import { encryptedLedger, memoryLedger, systemClock } from '@mcp-tx/core/ledger';
import type { LedgerFixture } from '../src/ledger-contract.ts';
import { describeLedgerContract } from '../src/vitest.ts';

async function encryptedFixture(): Promise<LedgerFixture> {
  let now = Date.now();
  const inner = memoryLedger({ clock: { ...systemClock, now: () => now } });
  const ledger = encryptedLedger(inner, { keys: [{ id: 'k1', key: randomBytes(32) }] });
  return {
    open: async () => ledger,
    async rawRecord(operationId) {
      const [raw, record] = [await inner.find(operationId), await ledger.find(operationId)];
      if (raw === undefined || record === undefined) return undefined;
      const text = (one: typeof raw): string | undefined =>
        one.outcome?.state === 'completed' ? one.outcome.result : undefined;
      const result = text(record);
      if (result !== undefined && !text(raw)?.startsWith('mcp-tx-sealed-1.k1.'))
        throw new Error('stored in plain text');
      return { state: raw.state, fence: raw.fence, attempts: raw.attempts, result };
    },
    advance: async (ms) => {
      now += ms;
    },
    close: () => ledger.close(),
  };
}

describeLedgerContract('an encrypted ledger', encryptedFixture, {
  skip: [
    { need: 'durable', reason: 'the memory ledger below ends with its process' },
    { need: 'shared', reason: 'no other process sees it' },
    { need: 'outage', reason: 'it has no store that could fail' },
  ],
});
