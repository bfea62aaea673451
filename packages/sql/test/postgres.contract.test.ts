// T51: the contract on this store.
import type { Service } from '@mcp-tx/testing/services';
import { startPostgres } from '@mcp-tx/testing/services';
import { describeLedgerContract } from '@mcp-tx/testing/vitest';
import { afterAll, beforeAll } from 'vitest';
import { newDatabase } from './support/remote.ts';
import { remoteFixture } from './support/remote-fixture.ts';

let service: Service;
let database: string;
beforeAll(async () => {
  service = await startPostgres();
  database = await newDatabase('postgres', service);
}, 60_000);
afterAll(() => service.stop());

describeLedgerContract('the SQL ledger on PostgreSQL', () => remoteFixture('postgres', service, database));
