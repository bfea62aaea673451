// Nest on either adapter. Decorators are called: types are stripped here, not compiled.
import 'reflect-metadata';
import type { McpTxHttpOptions } from '@mcp-tx/nest';
import { McpTxModule } from '@mcp-tx/nest';
import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';
import { httpHostOptions } from '@mcp-tx/testing/http-contract';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

function nestHost(newAdapter: () => ExpressAdapter | FastifyAdapter): HttpHostFixture {
  return {
    can: ['raw-body', 'stream', 'disconnect', 'socket', 'drain'],
    async start(profile) {
      const { client, options } = httpHostOptions(profile);
      const { client: _, authenticate, ...http } = options;
      class App {}
      Module({ imports: [McpTxModule.forRoot({ client, authenticate, http: http as McpTxHttpOptions })] })(App);
      const app = await NestFactory.create(App, newAdapter(), { logger: false, abortOnError: false });
      await app.listen(0, '127.0.0.1');
      return {
        url: `${await app.getUrl()}/mcp`,
        async close() {
          await app.close();
          await client.close({ graceMs: 0 });
        },
      };
    },
  };
}

export const nestOnExpressHost: HttpHostFixture = nestHost(() => new ExpressAdapter());
export const nestOnFastifyHost: HttpHostFixture = nestHost(() => new FastifyAdapter());
