import 'reflect-metadata';
import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { httpHostOptions } from '@mcp-tx/testing/http-contract';
import { describeHttpContract } from '@mcp-tx/testing/vitest';
import { Module } from '@nestjs/common';
import type { McpTxHttpOptions } from '../src/index.ts';
import { McpTxModule } from '../src/index.ts';
import type { Platform } from './support/application.ts';
import { listening } from './support/application.ts';

function fixture(platform: Platform): HttpHostFixture {
  return {
    can: ['raw-body', 'stream', 'disconnect', 'socket', 'drain'],
    async start(profile) {
      const { client, options } = httpHostOptions(profile);
      const { client: _, authenticate, ...http } = options;
      const connection = McpTxModule.forRoot({ client, authenticate, http: http as McpTxHttpOptions });
      @Module({ imports: [connection] })
      class App {}
      const { app, url } = await listening(App, platform);
      return {
        url: `${url}/mcp`,
        async close() {
          await app.close();
          await client.close({ graceMs: 0 });
        },
      };
    },
  };
}

describeHttpContract('Nest on Express', fixture('express'));
describeHttpContract('Nest on Fastify', fixture('fastify'));
