// Requests and their scopes: a provider that lives for ever never mixes two of them, and nothing is called for nobody.
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Inject, Injectable, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { IdempotencyKey, McpTxModule, McpTxService } from '../src/index.ts';
import { listening, PLATFORMS, post } from './support/application.ts';
import type { Payments } from './support/payments.ts';
import { payments } from './support/payments.ts';

@Injectable()
class Deep {
  constructor(@Inject(McpTxService) private readonly tx: McpTxService) {}

  async charge(orderId: string, idempotencyKey: string | undefined) {
    await sleep(Number(orderId) % 3); // requests overtake each other
    const { meta } = await this.tx.callTool(
      'charge',
      { orderId },
      idempotencyKey === undefined ? {} : { idempotencyKey },
    );
    return meta;
  }

  async mine() {
    const { records } = await this.tx.listOperations();
    return records.map(({ scope }) => scope);
  }
}

@Controller()
class Orders {
  constructor(@Inject(Deep) private readonly deep: Deep) {}

  @Post('charge/:id')
  charge(@Param('id') id: string, @IdempotencyKey() key: string | undefined) {
    return this.deep.charge(id, key);
  }

  @Get('mine')
  mine() {
    return this.deep.mine();
  }
}

function moduleOf(books: Payments, interceptor = true) {
  @Module({
    imports: [
      McpTxModule.forRoot({
        ...books.options,
        exceptionFilter: true,
        interceptor,
        authenticate: ({ header }) => {
          const scope = header('x-verified-tenant');
          return scope === undefined ? null : { scope };
        },
      }),
    ],
    controllers: [Orders],
    providers: [Deep],
  })
  class App {}
  return App;
}

const tenant = (name: string, more: object = {}) => ({ 'x-verified-tenant': name, ...more });

describe.each(PLATFORMS)('on %s', (platform) => {
  it('[T6] two hundred requests of two tenants at once: every call is in its own tenant’s scope', async () => {
    const books = await payments();
    await using server = await listening(moduleOf(books), platform);
    const asked = Array.from({ length: 200 }, (_, n) => {
      const who = n % 2 === 0 ? 'even' : 'odd';
      return post(`${server.url}/charge/${n}`, {}, tenant(who, { 'idempotency-key': `order:${n >> 1}` }));
    });
    const answers = await Promise.all(asked);
    expect(answers.every(({ status, body }) => status === 201 && body.duplicate === false)).toBe(true);
    expect(new Set(answers.map(({ body }) => body.operationId)).size).toBe(200); // the same keys, and no clash
    for (const who of ['even', 'odd']) {
      const mine = await (await fetch(`${server.url}/mine`, { headers: tenant(who) })).json();
      expect(new Set(mine as string[])).toEqual(new Set([who]));
    }
    expect(books.charges).toHaveLength(200);
  });

  it('who is not known is answered 401, and nothing is called', async () => {
    const books = await payments();
    await using server = await listening(moduleOf(books), platform);
    const refused = await post(`${server.url}/charge/1`);
    expect(refused).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(books.charges).toEqual([]);
  });

  it('the client’s deadline is the calls’ deadline', async () => {
    const books = await payments();
    books.chargeMs = 600;
    await using server = await listening(moduleOf(books), platform);
    const startedAt = performance.now();
    const late = await post(`${server.url}/charge/3`, {}, tenant('a', { 'mcp-tx-timeout-ms': '100' }));
    expect(late).toMatchObject({ status: 500, body: { code: 'IN_DOUBT', retryable: false } });
    expect(performance.now() - startedAt).toBeLessThan(500);
    const wrong = await post(`${server.url}/charge/3`, {}, tenant('a', { 'mcp-tx-timeout-ms': 'soon' }));
    expect(wrong).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
  });
});

it('without the interceptor, or outside of requests, a call for nobody is refused; runInScope names somebody', async () => {
  const books = await payments();
  await using server = await listening(moduleOf(books, false), 'express');
  expect(await post(`${server.url}/charge/1`, {}, tenant('a'))).toMatchObject({
    status: 400,
    body: { code: 'CALL_INVALID' },
  });
  const app = await NestFactory.createApplicationContext(moduleOf(books), { logger: false });
  const tx = app.get(McpTxService);
  await expect(tx.callTool('charge', { orderId: '1' })).rejects.toMatchObject({ code: 'CALL_INVALID' });
  expect(books.charges).toEqual([]);
  const { meta } = await tx.runInScope('nightly', () => tx.callTool('charge', { orderId: '1' }));
  const seen = await tx.runInScope('nightly', () => tx.getOperation(meta.operationId));
  expect(seen?.scope).toBe('nightly');
  expect(await tx.runInScope('other', () => tx.getOperation(meta.operationId))).toBeUndefined();
});
