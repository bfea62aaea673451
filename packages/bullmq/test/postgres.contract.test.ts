// T50: the whole contract also on BullMQ's PostgreSQL backend.
import type { Service } from '@mcp-tx/testing/services';
import { startPostgres } from '@mcp-tx/testing/services';
import { describeJobContract } from '@mcp-tx/testing/vitest';
import { createPostgresBackend } from 'bullmq';
import { afterAll, beforeAll } from 'vitest';
import { bullmqFixture } from './support/bullmq-fixture.ts';

let postgres: Service;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.stop());

describeJobContract(
  'BullMQ on PostgreSQL',
  bullmqFixture({
    can: ['cut', 'outage'],
    place: (name) => ({
      name,
      connection: { host: postgres.host, port: postgres.port, user: 'postgres', database: 'postgres', migrate: true },
      backend: createPostgresBackend,
    }),
    async breakBroker() {
      await postgres.kill();
      await postgres.restart();
    },
  }),
);
