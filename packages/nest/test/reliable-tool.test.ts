// Methods as local tools, and health for Terminus.
import 'reflect-metadata';
import type { LocalToolContext, McpTx } from '@mcp-tx/core';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { getMcpTxToken, McpTxModule, ReliableTool } from '../src/index.ts';
import { McpTxHealthIndicator } from '../src/terminus.ts';
import { payments } from './support/payments.ts';

@Injectable()
class Prices {
  double = (amount: number) => 2 * amount;
}

const inputSchema = z.object({ orders: z.array(z.string()) });

@Injectable()
class Bundles {
  constructor(@Inject(Prices) private readonly prices: Prices) {}

  @ReliableTool('charge_all', { inputSchema })
  async chargeAll({ orders }: z.infer<typeof inputSchema>, { callTool }: LocalToolContext) {
    for (const orderId of orders) await callTool('charge', { orderId });
    return { charged: orders.length, doubled: this.prices.double(orders.length) };
  }

  notATool(): string {
    return 'plain';
  }
}

it('a decorated method is a tool: its input is checked, its inner calls inherit the key, the class has its dependencies', async () => {
  const books = await payments();
  @Module({ imports: [McpTxModule.forFeature([Bundles])], providers: [Prices, Bundles] })
  class Sales {}
  @Module({ imports: [McpTxModule.forRoot(books.options), Sales] })
  class App {}
  const app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
  const tx = app.get<McpTx>(getMcpTxToken());
  const call = () => tx.callTool('charge_all', { orders: ['a', 'b'] }, { idempotencyKey: 'bundle:1' });
  expect((await call()).result.structured).toEqual({ charged: 2, doubled: 4 });
  expect((await call()).meta.duplicate).toBe(true);
  expect(books.charges).toEqual(['a', 'b']);
  await expect(tx.callTool('charge_all', { orders: 'all' })).rejects.toMatchObject({ code: 'ARGUMENTS_INVALID' });
  await expect(tx.callTool('notATool')).rejects.toMatchObject({ code: 'TOOL_NOT_FOUND' });
  await app.close();
});

it('Terminus hears up and down, each with what MCP-Tx says of itself', async () => {
  const books = await payments();
  @Module({ imports: [McpTxModule.forRoot(books.options), TerminusModule], providers: [McpTxHealthIndicator] })
  class App {}
  const app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
  const indicator = app.get(McpTxHealthIndicator);
  await app.get<McpTx>(getMcpTxToken()).initialize();
  expect(await indicator.isHealthy('payments')).toMatchObject({ payments: { status: 'up', state: 'ok', inFlight: 0 } });
  await app.get<McpTx>(getMcpTxToken()).close();
  expect(await indicator.isHealthy('payments')).toMatchObject({ payments: { status: 'down', state: 'draining' } });
});
