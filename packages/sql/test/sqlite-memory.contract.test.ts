import type { LedgerFixture } from '@mcp-tx/testing/ledger-contract';
import { describeLedgerContract } from '@mcp-tx/testing/vitest';
import { sqliteLedger } from '../src/sqlite.ts';

async function memoryFixture(): Promise<LedgerFixture> {
  let now = Date.now();
  const ledger = sqliteLedger(':memory:', { clock: { now: () => now } });
  return {
    open: async () => ledger,
    async rawRecord(operationId) {
      const record = await ledger.find(operationId); // nobody else can look into this process's memory
      if (record === undefined) return undefined;
      const { state, fence, attempts, outcome } = record;
      return { state, fence, attempts, result: outcome?.state === 'completed' ? outcome.result : undefined };
    },
    async advance(ms) {
      now += ms;
    },
    close: () => ledger.close(),
  };
}

describeLedgerContract('the SQLite ledger in memory', memoryFixture, {
  skip: [
    { need: 'durable', reason: 'it ends with its process' },
    { need: 'shared', reason: 'no other process sees it' },
    { need: 'outage', reason: 'no other process can take its lock' },
  ],
});
