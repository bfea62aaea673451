// T51: the contract on this store.
import { DatabaseSync } from 'node:sqlite';
import type { LedgerFixture } from '@mcp-tx/testing/ledger-contract';
import { describeLedgerContract } from '@mcp-tx/testing/vitest';
import type { SqliteLedger } from '../src/sqlite.ts';
import { sqliteLedger } from '../src/sqlite.ts';
import { rawRecord, temporaryFolder } from './support/temporary-file.ts';

async function fileFixture(): Promise<LedgerFixture> {
  const folder = await temporaryFolder();
  const path = folder.at('ledger.db');
  let now = Date.now();
  let ledger: SqliteLedger | undefined;
  let eyes: DatabaseSync | undefined;
  const open = (): SqliteLedger => {
    ledger = sqliteLedger(path, { clock: { now: () => now }, busyTimeoutMs: 200 });
    return ledger;
  };
  return {
    open: async () => open(),
    async reopen() {
      await ledger?.close();
      return open();
    },
    async rawRecord(operationId) {
      eyes ??= new DatabaseSync(path);
      return rawRecord(eyes, operationId);
    },
    async advance(ms) {
      now += ms;
    },
    worker: {
      module: new URL('./ledger-worker.ts', import.meta.url).href,
      argument: path,
      execArgv: ['--conditions=mcp-tx:source', '--disable-warning=ExperimentalWarning'],
    },
    async breakStore() {
      const other = new DatabaseSync(path);
      other.exec('begin immediate');
      return async () => other.close();
    },
    async close() {
      eyes?.close();
      await ledger?.close();
      await folder.remove();
    },
  };
}

describeLedgerContract('the SQLite ledger in a file', fileFixture);
