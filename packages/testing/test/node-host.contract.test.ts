import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpKernel, createNodeHandler } from '@mcp-tx/core/http';
import type { HttpHostFixture } from '../src/http-contract.ts';
import { httpHostOptions } from '../src/http-contract.ts';
import { describeHttpContract } from '../src/vitest.ts';

/** The kernel on a bare server of Node: what the contract says of every host, without any framework. */
const nodeHost: HttpHostFixture = {
  can: ['raw-body', 'stream', 'disconnect', 'socket', 'drain'],
  async start(profile) {
    const { client, options } = httpHostOptions(profile);
    const kernel = createHttpKernel(options);
    const handler = createNodeHandler(kernel, { mount: '/api' });
    const server = createServer((request, response) => void handler(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
      async close() {
        await kernel.drain();
        server.close();
        await client.close({ graceMs: 0 });
        server.closeAllConnections();
      },
    };
  },
};

describeHttpContract('a bare Node server', nodeHost);
