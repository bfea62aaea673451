import { McpTxError } from '@mcp-tx/core';
import express from 'express';
import { expect, it } from 'vitest';
import type { ErrorHandlerOptions } from '../src/index.ts';
import { mcpTxErrorHandler } from '../src/index.ts';
import { listen } from './support/app.ts';

async function ask(error: () => unknown, options: ErrorHandlerOptions, init: RequestInit = {}, path = '/') {
  const app = express().use(express.json());
  app.use('/:name', () => undefined);
  app.all('/', (_req, res) => {
    if (options.mount === 'late') res.write('begun');
    throw error();
  });
  app.use(mcpTxErrorHandler(options));
  app.use(
    ((_error, _req, res, _next) =>
      void (res.headersSent ? res.destroy() : res.status(418).end('others'))) as express.ErrorRequestHandler,
  );
  await using listening = await listen(app);
  const reply = await fetch(`${listening.url}${path}`, init);
  const text = await reply.text();
  return {
    status: reply.status,
    type: reply.headers.get('content-type'),
    location: reply.headers.get('location'),
    text,
  };
}

const doubt = () => new McpTxError('IN_DOUBT', 'pay may have run', { operationId: `op_${'a'.repeat(26)}` });

it('an error of a call is its problem, with the place to look', async () => {
  const { status, type, location, text } = await ask(doubt, { mount: '/mcp' });
  expect([status, type, location]).toEqual([500, 'application/problem+json', `/mcp/operations/op_${'a'.repeat(26)}`]);
  expect(JSON.parse(text)).toMatchObject({ code: 'IN_DOUBT', execution: 'unknown', retryable: false });
});

it('other errors are others’ business, unless it is told to take all', async () => {
  const secret = () => new Error('secret');
  expect(await ask(secret, {})).toMatchObject({ status: 418, text: 'others' });
  const all = await ask(secret, { onlyMcpTx: false });
  expect([all.status, all.text.includes('secret'), JSON.parse(all.text).code]).toEqual([500, false, 'INTERNAL']);
});

it.each([
  [
    'half a body',
    { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } },
    '/',
    400,
    'BODY_INVALID',
  ],
  [
    'too much of it',
    { method: 'POST', body: `"${'x'.repeat(200_000)}"`, headers: { 'content-type': 'application/json' } },
    '/',
    413,
    'BODY_TOO_LARGE',
  ],
  [
    'a strange encoding',
    { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', 'content-encoding': 'xyz' } },
    '/',
    415,
    'MEDIA_TYPE_UNSUPPORTED',
  ],
  ['a path that means nothing', {}, '/%E0%A4%A', 400, 'REQUEST_INVALID'],
])('%s is a problem with its status', async (_what, init, path, status, code) => {
  const { text, ...reply } = await ask(doubt, { onlyMcpTx: false }, init, path);
  expect([reply.status, (JSON.parse(text) as { code: string }).code]).toEqual([status, code]);
});

it('a response that has begun is left to Express', async () => {
  await expect(ask(doubt, { mount: 'late' })).rejects.toThrow();
});
