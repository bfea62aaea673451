// A Nest application in a process of its own, for tests that end it. Decorators are called: types are stripped here, not compiled.
import 'reflect-metadata';
import { Controller, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { McpTxModule, McpTxService } from '../../src/index.ts';
import { payments } from '../support/payments.ts';

const [platform, chargeMs] = process.argv.slice(2);
const books = await payments();
books.chargeMs = Number(chargeMs);

/** `POST /charge`: a handler of the application's own. */
class Till {
  readonly tx: McpTxService;

  constructor(tx: McpTxService) {
    this.tx = tx;
  }

  async charge(): Promise<unknown> {
    return (await this.tx.callTool('charge', { orderId: '1' }, { idempotencyKey: 'order:1' })).result.structured;
  }
}
Inject(McpTxService)(Till, undefined, 0);
Post('charge')(
  Till.prototype,
  'charge',
  Object.getOwnPropertyDescriptor(Till.prototype, 'charge') as PropertyDescriptor,
);
Controller()(Till);

class App {}
const connection = McpTxModule.forRoot({
  ...books.options,
  authenticate: 'single-tenant',
  http: { tools: ['charge'] },
});
Module({ imports: [connection], controllers: [Till] })(App);

const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
const app = await NestFactory.create(App, adapter, { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
console.log(await app.getUrl());
