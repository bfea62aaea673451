// Express with the router.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createMcpTxRouter, drain, mcpTxErrorHandler } from '@mcp-tx/express';
import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { httpHostOptions } from '@mcp-tx/testing/http-contract';
import express from 'express';

export const expressHost: HttpHostFixture = {
  can: ['raw-body', 'stream', 'disconnect', 'socket', 'drain'],
  async start(profile) {
    const { client, options } = httpHostOptions(profile);
    const router = createMcpTxRouter(options);
    const server = express().use('/mcp', router).use(mcpTxErrorHandler()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const end = { close: () => client.close({ graceMs: 0 }) };
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
      close: drain(server, { routers: [router], close: [end] }),
    };
  },
};
