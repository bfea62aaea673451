/** Puts the handlers through the contract of HTTP hosts. The same behind Next itself, built and started, is in `apps/attack`. */
import { httpHostOptions } from '@mcp-tx/testing/http-contract';
import { describeHttpContract } from '@mcp-tx/testing/vitest';
import { createMcpTxHandlers } from '../src/index.ts';
import { serveHandlers } from './support/serve-handlers.ts';

describeHttpContract('Next handlers', {
  can: ['raw-body', 'stream', 'disconnect', 'socket', 'drain'],
  async start(profile) {
    const { client, options } = httpHostOptions(profile);
    const { url, close } = await serveHandlers(createMcpTxHandlers(options));
    return {
      url,
      async close() {
        await close();
        await client.close({ graceMs: 0 });
      },
    };
  },
});
