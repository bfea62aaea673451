import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { httpHostOptions } from '@mcp-tx/testing/http-contract';
import { describeHttpContract } from '@mcp-tx/testing/vitest';
import { createLambdaHandler } from '../src/index.ts';
import type { Format } from './support/gateway.ts';
import { gateway } from './support/gateway.ts';

const lambda = (format: Format): HttpHostFixture => ({
  can: ['raw-body', 'stream'],
  async start(profile) {
    const { client, options } = httpHostOptions(profile);
    const { url, close } = await gateway(format, createLambdaHandler(options));
    return {
      url,
      async close() {
        await close();
        await client.close({ graceMs: 0 });
      },
    };
  },
});

const skip = [
  { need: 'disconnect', reason: 'nobody tells a function that its client has gone' },
  { need: 'socket', reason: 'API Gateway meets the clients' },
  { need: 'drain', reason: 'a function is not shut down, it is frozen' },
] as const;

describeHttpContract('Lambda behind a REST API', lambda('1.0'), { skip });
describeHttpContract('Lambda behind an HTTP API or a function URL', lambda('2.0'), { skip });
