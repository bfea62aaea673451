import type { Service } from '@mcp-tx/testing/services';
import { startRedis } from '@mcp-tx/testing/services';
import { describeJobContract } from '@mcp-tx/testing/vitest';
import { afterAll, beforeAll } from 'vitest';
import { bullmqFixture } from './support/bullmq-fixture.ts';

let redis: Service;
beforeAll(async () => {
  redis = await startRedis();
}, 60_000);
afterAll(() => redis.stop());

describeJobContract(
  'BullMQ on Redis',
  bullmqFixture({
    can: ['cut', 'outage'],
    place: (name) => ({ name, connection: { host: redis.host, port: redis.port } }),
    async breakBroker() {
      await redis.kill();
      await redis.restart();
    },
  }),
);
