import { describeHttpContract } from '@mcp-tx/testing/vitest';
import { beforeAll } from 'vitest';
import { nextHost, startNext } from '../src/hosts/next.ts';

beforeAll(async () => {
  await startNext();
}, 180_000);

describeHttpContract('Next, built and started', nextHost);
