// The kernel on a bare server of Node.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpKernel, createNodeHandler } from '@mcp-tx/core/http';
import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { httpHostOptions } from '@mcp-tx/testing/http-contract';

export const nodeHost: HttpHostFixture = {
  can: ['raw-body', 'stream', 'disconnect', 'socket', 'drain'],
  async start(profile) {
    const { client, options } = httpHostOptions(profile);
    const kernel = createHttpKernel(options);
    const handler = createNodeHandler(kernel, { mount: '/mcp' });
    const server = createServer((request, response) => void handler(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
      async close() {
        await kernel.drain();
        server.close();
        await client.close({ graceMs: 0 });
        server.closeAllConnections();
      },
    };
  },
};
