import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { httpHostOptions } from '@mcp-tx/testing/http-contract';
import { describeHttpContract } from '@mcp-tx/testing/vitest';
import express from 'express';
import { createMcpTxRouter, drain, mcpTxErrorHandler } from '../src/index.ts';
import { listen } from './support/app.ts';

function fixture(mount: string, parses: boolean): HttpHostFixture {
  const can = ['stream', 'disconnect', 'socket', 'drain'] as const;
  return {
    can: parses ? can : [...can, 'raw-body'],
    async start(profile) {
      const { client, options } = httpHostOptions(profile);
      const router = createMcpTxRouter(options);
      const app = express().set('x-powered-by', false);
      if (parses) app.use(express.json({ limit: '1mb' }));
      app.use(mount === '' ? '/' : mount, router).use(mcpTxErrorHandler({ onlyMcpTx: false }));
      const { url, server } = await listen(app);
      const close = { close: () => client.close({ graceMs: 0 }) };
      return { url: `${url}${mount}`, close: drain(server, { routers: [router], close: [close] }) };
    },
  };
}

describeHttpContract('Express', fixture('/api/mcp', false));

describeHttpContract('Express, at the root and after express.json()', fixture('', true), {
  skip: [
    { need: 'raw-body', reason: 'the body has been parsed by somebody else' },
    { id: 'http:attack-slow-body', reason: 'the body is waited for by somebody else' },
  ],
});
