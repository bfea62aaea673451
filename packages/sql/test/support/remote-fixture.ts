/** The fixture of the ledger contract for a database server: new tables for each case, outages by killing the server. */
import type { LedgerFixture } from '@mcp-tx/testing/ledger-contract';
import type { Service } from '@mcp-tx/testing/services';
import type { SqlLedger } from '../../src/index.ts';
import type { Kind } from './remote.ts';
import { connectTo, openLedger, rawRecord } from './remote.ts';

const TABLES = ['operations', 'results', 'audit', 'migrations'].map((table) => `mcp_tx_${table}`);

export async function remoteFixture(kind: Kind, service: Service, name: string): Promise<LedgerFixture> {
  const { port } = service;
  const database = connectTo(kind, port, name);
  const eyes = connectTo(kind, port, name, 2);
  let now = Date.now();
  let ledger: SqlLedger | undefined;
  const open = (): SqlLedger => {
    ledger = openLedger(database, { now: () => now });
    return ledger;
  };
  return {
    async open() {
      const opened = open();
      await opened.stats({}); // makes the tables
      return opened;
    },
    async reopen() {
      await ledger?.close();
      return open();
    },
    rawRecord: (operationId) => rawRecord(kind, eyes, operationId),
    async advance(ms) {
      now += ms;
    },
    worker: {
      module: new URL('./remote-worker.ts', import.meta.url).href,
      argument: JSON.stringify({ kind, port, name }),
      execArgv: ['--conditions=mcp-tx:source'],
    },
    async breakStore() {
      await service.kill();
      return () => service.restart();
    },
    async close() {
      await ledger?.close();
      await database.end();
      await eyes.query(`drop table if exists ${TABLES.join(', ')}`);
      await eyes.end();
    },
  };
}
