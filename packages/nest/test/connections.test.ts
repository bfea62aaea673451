// Connections of an application: options that are made later, several by name, the order in which they end.
import 'reflect-metadata';
import type { McpTx } from '@mcp-tx/core';
import { createFakeMcpTx } from '@mcp-tx/testing';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { expect, it } from 'vitest';
import type { McpTxModuleOptions, McpTxOptionsFactory } from '../src/index.ts';
import { getMcpTxToken, InjectMcpTx, InjectMcpTxService, McpTxModule, McpTxService } from '../src/index.ts';
import { provideFakeMcpTx } from '../src/testing.ts';
import { listening, post } from './support/application.ts';
import { payments } from './support/payments.ts';

async function contextOf(...imports: NonNullable<Parameters<typeof Module>[0]['imports']>) {
  @Module({ imports })
  class App {}
  return NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
}

it('forRootAsync makes options from a factory, a class or a provider that is there already', async () => {
  const books = await payments();
  @Injectable()
  class Settings implements McpTxOptionsFactory {
    createMcpTxOptions(): McpTxModuleOptions {
      return books.options;
    }
  }
  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}
  const ways = [
    McpTxModule.forRootAsync({ useFactory: async () => books.options }),
    McpTxModule.forRootAsync({ useClass: Settings }),
    McpTxModule.forRootAsync({ imports: [SettingsModule], useExisting: Settings }),
    McpTxModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: (settings: Settings) => settings.createMcpTxOptions(),
    }),
  ];
  for (const [index, way] of ways.entries()) {
    const app = await contextOf(way);
    const { result } = await app
      .get(McpTxService)
      .callTool('charge', { orderId: `${index}` }, { idempotencyKey: `${index}` });
    expect(result.structured).toEqual({ receipt: index + 1 });
  }
  expect(books.charges).toEqual(['0', '1', '2', '3']);
});

it('a wrong option ends the start, with its name', async () => {
  const books = await payments();
  const wrong = { ...books.options, timeoutMS: 3 } as unknown as McpTxModuleOptions;
  await expect(contextOf(McpTxModule.forRoot(wrong))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('timeoutMS'),
  });
  const unlisted = { ...books.options, authenticate: 'single-tenant', http: {} } as McpTxModuleOptions;
  await expect(contextOf(McpTxModule.forRoot(unlisted))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('tools'),
  });
});

it('eager: a server that cannot be reached ends the start', async () => {
  const server = { command: '/nowhere/at/all' };
  const { stdio } = await import('@mcp-tx/core/sdk-v1');
  const options = { server: stdio(server), name: 'nowhere' };
  await expect(contextOf(McpTxModule.forRoot({ ...options, eager: true }))).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
  });
  const app = await contextOf(McpTxModule.forRoot(options)); // lazy: nothing is started
  expect(await app.get<McpTx>(getMcpTxToken()).health()).toMatchObject({ inFlight: 0 });
  await app.close();
});

it('[T41] two connections by name: each calls its own server; all drain before the first one closes', async () => {
  const [cards, cash] = [await payments(), await payments()];
  const order: string[] = [];
  @Injectable()
  class Till {
    constructor(
      @InjectMcpTx('cards') readonly cards: McpTx,
      @InjectMcpTxService('cash') readonly cash: McpTxService,
    ) {}
    beforeApplicationShutdown(): void {
      order.push('last call of the application');
    }
  }
  const watch = (name: string, tx: McpTx): void => {
    const close = tx.close.bind(tx);
    tx.close = (options) => {
      order.push(`${name} closes`);
      return close(options);
    };
  };
  @Module({
    imports: [
      McpTxModule.forRoot({ ...cards.options, connectionName: 'cards' }),
      McpTxModule.forRoot({ ...cash.options, connectionName: 'cash' }),
    ],
    providers: [Till],
  })
  class App {}
  const server = await listening(App, 'express');
  const till = server.app.get(Till);
  for (const name of ['cards', 'cash']) watch(name, server.app.get(getMcpTxToken(name)));
  await till.cards.callTool('charge', { orderId: 'a' });
  await till.cash.callTool('charge', { orderId: 'b' });
  expect([cards.charges, cash.charges]).toEqual([['a'], ['b']]);
  expect(() => server.app.get(getMcpTxToken())).toThrow();
  await server.app.close();
  expect(order[0]).toBe('last call of the application');
  expect(order.slice(1).sort()).toEqual(['cards closes', 'cash closes']);
  await expect(till.cards.callTool('charge', { orderId: 'c' })).rejects.toMatchObject({ code: 'CLOSED' });
});

it('a test puts a fake in the place of a connection: in a whole application, and without its module', async () => {
  const books = await payments();
  const fake = createFakeMcpTx({ tools: { charge: () => ({ receipt: 99 }) } });
  @Module({
    imports: [McpTxModule.forRoot({ ...books.options, authenticate: 'single-tenant', http: { tools: ['charge'] } })],
  })
  class App {}
  const module = await Test.createTestingModule({ imports: [App] })
    .overrideProvider(getMcpTxToken())
    .useValue(fake.tx)
    .compile();
  const app = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  const asked = post(`${await app.getUrl()}/mcp/execute/charge`, { arguments: {} }, { 'idempotency-key': 'k' });
  expect(await asked).toMatchObject({ status: 200, body: { result: { structuredContent: { receipt: 99 } } } });
  expect([books.charges.length, fake.effects.length]).toEqual([0, 1]);

  const small = await Test.createTestingModule({ providers: provideFakeMcpTx(fake.tx) }).compile();
  await small.get(McpTxService).callTool('charge');
  expect(fake.effects).toHaveLength(2);
  await app.close();
});
