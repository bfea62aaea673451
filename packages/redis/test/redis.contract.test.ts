// T51: the contract on this store.
import type { Service } from '@mcp-tx/testing/services';
import { startRedis } from '@mcp-tx/testing/services';
import { describeLedgerContract } from '@mcp-tx/testing/vitest';
import { afterAll, beforeAll } from 'vitest';
import { redisFixture } from './support/redis-fixture.ts';

let service: Service;
beforeAll(async () => {
  service = await startRedis();
}, 60_000);
afterAll(() => service.stop());

describeLedgerContract('the ledger on Redis', () => redisFixture(service));
