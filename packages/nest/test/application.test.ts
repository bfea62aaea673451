// A Nest application with one connection, on both adapters: injection, decorators, filter, HTTP API.
import 'reflect-metadata';
import type { McpTx, McpTxResult } from '@mcp-tx/core';
import { Body, Controller, Get, Inject, Injectable, Module, Post } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { IdempotencyKey, InjectMcpTx, McpTxModule, McpTxService } from '../src/index.ts';
import { listening, PLATFORMS, post } from './support/application.ts';
import type { Payments } from './support/payments.ts';
import { payments } from './support/payments.ts';

@Injectable()
class Billing {
  constructor(@InjectMcpTx() private readonly tx: McpTx) {}

  charge(orderId: string, idempotencyKey: string): Promise<McpTxResult> {
    return this.tx.callTool('charge', { orderId }, { idempotencyKey });
  }
}

@Controller('orders')
class Orders {
  constructor(
    @Inject(Billing) private readonly billing: Billing,
    @Inject(McpTxService) private readonly tx: McpTxService,
  ) {}

  @Post('charge')
  async charge(@Body() body: { orderId: string }, @IdempotencyKey({ required: true }) key: string) {
    const { result, meta } = await this.billing.charge(body.orderId, key);
    return { receipt: result.structured, duplicate: meta.duplicate };
  }

  @Post('optional')
  async optional(@IdempotencyKey() key: string | undefined) {
    return { key: key ?? null };
  }

  @Get('look')
  async look() {
    return (await this.tx.callTool('look')).result.structured;
  }
}

function moduleOf(books: Payments) {
  @Module({
    imports: [
      McpTxModule.forRoot({
        ...books.options,
        exceptionFilter: true,
        authenticate: 'single-tenant',
        http: { tools: ['charge', 'look'] },
      }),
    ],
    controllers: [Orders],
    providers: [Billing],
  })
  class App {}
  return App;
}

describe.each(PLATFORMS)('a Nest application on %s', (platform) => {
  it('injects the connection; a repeated request has one effect', async () => {
    const books = await payments();
    await using server = await listening(moduleOf(books), platform);
    const ask = () => post(`${server.url}/orders/charge`, { orderId: '42' }, { 'idempotency-key': '"order:42"' });
    const [first, second] = [await ask(), await ask()];
    expect([first.status, first.body]).toEqual([201, { receipt: { receipt: 1 }, duplicate: false }]);
    expect([second.status, second.body]).toEqual([201, { receipt: { receipt: 1 }, duplicate: true }]);
    expect(books.charges).toEqual(['42']);
    expect(await (await fetch(`${server.url}/orders/look`)).json()).toEqual({ charges: ['42'] });
  });

  it('reads the key in both forms, and refuses what is none with a problem', async () => {
    const books = await payments();
    await using server = await listening(moduleOf(books), platform);
    const keyed = (key: string) => post(`${server.url}/orders/optional`, {}, { 'idempotency-key': key });
    expect((await keyed('"order:42"')).body).toEqual({ key: 'order:42' });
    expect((await keyed('order:42')).body).toEqual({ key: 'order:42' });
    expect((await post(`${server.url}/orders/optional`)).body).toEqual({ key: null });
    expect(await keyed('a, b')).toMatchObject({ status: 400, body: { code: 'KEY_INVALID' } });
    const missing = await post(`${server.url}/orders/charge`, { orderId: '42' });
    expect(missing).toMatchObject({ status: 400, body: { code: 'KEY_REQUIRED', execution: 'none' } });
    expect(missing.headers.get('content-type')).toContain('application/problem+json');
    expect(books.charges).toEqual([]);
  });

  it('an outcome that nobody knows is 500 and not to be repeated, in a handler as in the HTTP API', async () => {
    const books = await payments();
    await using server = await listening(moduleOf(books), platform);
    books.dies = 'after';
    const key = { 'idempotency-key': 'order:13' };
    const handled = await post(`${server.url}/orders/charge`, { orderId: '13' }, key);
    expect(handled).toMatchObject({ status: 500, body: { code: 'IN_DOUBT', execution: 'unknown', retryable: false } });
    const api = await post(`${server.url}/mcp/execute/charge`, { arguments: { orderId: '13' } }, key);
    expect(api).toMatchObject({ status: 500, body: { code: 'IN_DOUBT', execution: 'unknown', retryable: false } });
    expect(api.body.operationId).toBe(handled.body.operationId);
    expect(books.charges).toEqual(['13']);
  });

  it('leaves errors that are not of MCP-Tx to Nest', async () => {
    const books = await payments();
    await using server = await listening(moduleOf(books), platform);
    const lost = await fetch(`${server.url}/nowhere`);
    expect([lost.status, await lost.json()]).toMatchObject([404, { message: 'Cannot GET /nowhere' }]);
    expect((await post(`${server.url}/orders/charge`, '{"broken')).status).toBe(400);
  });

  it('the HTTP API reads bodies as they came, wherever the global prefix puts the rest', async () => {
    const books = await payments();
    await using server = await listening(moduleOf(books), platform, 'api');
    const charged = await post(
      `${server.url}/mcp/execute/charge`,
      { arguments: { orderId: '7' } },
      { 'idempotency-key': 'order:7' },
    );
    expect(charged).toMatchObject({ status: 200, body: { meta: { duplicate: false } } });
    const broken = await post(`${server.url}/mcp/execute/charge`, '{"broken', { 'idempotency-key': 'k' });
    expect(broken).toMatchObject({ status: 400, body: { code: 'BODY_INVALID' } });
    const twice = await post(`${server.url}/mcp/execute/charge`, '{"arguments":{},"arguments":{}}', {
      'idempotency-key': 'k',
    });
    expect(twice).toMatchObject({ status: 400, body: { code: 'BODY_INVALID' } });
    expect((await fetch(`${server.url}/mcp/readyz`)).status).toBe(200);
    expect((await fetch(`${server.url}/api/orders/look`)).status).toBe(200);
    expect(books.charges).toEqual(['7']);
  });
});

it('[T42] both adapters answer the same bytes', async () => {
  const asked: [path: string, body: unknown, key: string][] = [
    ['/mcp/execute/charge', '{"broken', 'k'],
    ['/mcp/execute/charge', { arguments: 3 }, 'k'],
    ['/mcp/execute/nowhere', {}, 'k'],
    ['/mcp/execute/charge', { arguments: {} }, 'a,b'],
    ['/orders/charge', { orderId: '1' }, 'a,b'],
  ];
  const told: string[][] = [];
  for (const platform of PLATFORMS) {
    const books = await payments();
    await using server = await listening(moduleOf(books), platform);
    const answers: string[] = [];
    for (const [path, body, key] of asked) {
      const { status, text } = await post(`${server.url}${path}`, body, { 'idempotency-key': key });
      expect(status).toBeGreaterThanOrEqual(400);
      answers.push(`${status} ${text}`);
    }
    told.push(answers);
  }
  expect(told[0]).toEqual(told[1]);
});
