import { memoryLedger, systemClock } from '@mcp-tx/core/ledger';
import type { LedgerFixture } from '../src/ledger-contract.ts';
import { describeLedgerContract } from '../src/vitest.ts';

async function memoryFixture(): Promise<LedgerFixture> {
  let now = Date.now();
  const ledger = memoryLedger({ clock: { ...systemClock, now: () => now } });
  return {
    open: async () => ledger,
    async rawRecord(operationId) {
      const record = await ledger.find(operationId);
      if (record === undefined) return undefined;
      const { state, fence, attempts, outcome } = record;
      return { state, fence, attempts, result: outcome?.state === 'completed' ? outcome.result : undefined };
    },
    advance: async (ms) => {
      now += ms;
    },
    close: () => ledger.close(),
  };
}

describeLedgerContract('the memory ledger', memoryFixture, {
  skip: [
    { need: 'durable', reason: 'it ends with its process' },
    { need: 'shared', reason: 'no other process sees it' },
    { need: 'outage', reason: 'it has no store that could fail' },
  ],
});
