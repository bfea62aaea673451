/** Proves that a handler of the user's own runs in the scope of whoever asks, and that only MCP-Tx's errors become problems. */
import type { FakeMcpTx } from '@mcp-tx/testing';
import { createFakeMcpTx } from '@mcp-tx/testing';
import { NextRequest } from 'next/server.js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { McpTxRouteHandler, WithMcpTxOptions } from '../src/index.ts';
import { withMcpTx } from '../src/index.ts';

/** The JSON of an answer. */
const bodyOf = async (answer: Response) => (await answer.json()) as Readonly<Record<string, unknown>>;

let fake: FakeMcpTx;
let errors: unknown[];
let options: WithMcpTxOptions;
beforeEach(() => {
  fake = createFakeMcpTx({
    tools: { charge: ({ orderId }) => ({ orderId }) },
    script: { charge: ['answer', 'lose-answer'] },
  });
  errors = [];
  options = {
    client: () => fake.tx,
    authenticate: (caller) => {
      const user = caller.host?.cookies.get('user')?.value;
      return user === undefined ? null : { scope: user };
    },
    onError: (error) => {
      errors.push(error);
      throw new Error('a bad handler');
    },
  };
});
afterEach(() => fake[Symbol.asyncDispose]());

const request = (user?: string) =>
  new NextRequest('http://localhost:3000/orders/7', user === undefined ? {} : { headers: { cookie: `user=${user}` } });
const context = { params: Promise.resolve({ id: '7' }) };

const charge: McpTxRouteHandler<typeof context> = async (_request, { mcpTx, params }) => {
  const { id } = await params;
  const { meta } = await mcpTx.callTool('charge', { orderId: id }, { idempotencyKey: `order:${id}` });
  return Response.json(meta);
};

it('binds calls to the scope of whoever asks, so that two may use the same key', async () => {
  fake = createFakeMcpTx({ tools: { charge: () => 1 } });
  const handle = withMcpTx(options, charge);
  const ask = async (user: string) => bodyOf(await fake.until(handle(request(user), context)));
  const [ann, bob, again] = [await ask('ann'), await ask('bob'), await ask('ann')];
  expect(ann.operationId).not.toBe(bob.operationId);
  expect([ann.duplicate, bob.duplicate, again.duplicate]).toEqual([false, false, true]);
  expect((await fake.tx.getOperation(String(ann.operationId)))?.scope).toBe('ann');
  expect(fake.effects).toHaveLength(2);
});

it('refuses a scope of the handler’s own', async () => {
  const handle = withMcpTx(options, async (_request, { mcpTx }) => {
    await mcpTx.callTool('charge', {}, { scope: 'bob' } as object);
    return new Response();
  });
  expect((await fake.until(handle(request('ann'), context))).status).toBe(400);
  expect(fake.sends).toEqual([]);
});

it('does not run the handler for somebody who is not known', async () => {
  let ran = false;
  const handle = withMcpTx(options, () => {
    ran = true;
    return new Response();
  });
  const answer = await handle(request(), context);
  expect([answer.status, (await bodyOf(answer)).code, ran]).toEqual([401, 'UNAUTHENTICATED', false]);
});

it('answers an error of MCP-Tx as a problem, and tells it to onError alone', async () => {
  const handle = withMcpTx(options, charge);
  await fake.until(handle(request('ann'), context));
  const answer = await fake.until(handle(request('bob'), context));
  const problem = await bodyOf(answer);
  expect(problem).toMatchObject({ status: 500, code: 'IN_DOUBT', execution: 'unknown', retryable: false });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(errors).toEqual([expect.objectContaining({ code: 'IN_DOUBT', operationId: problem.operationId })]);
  expect(fake.unusedSteps).toEqual([]);
});

it('leaves every other error to Next', async () => {
  const redirect = Object.assign(new Error('NEXT_REDIRECT'), { digest: 'NEXT_REDIRECT;push;/;307;' });
  const handle = withMcpTx(options, () => {
    throw redirect;
  });
  await expect(handle(request('ann'), context)).rejects.toBe(redirect);
  expect(errors).toEqual([]);
});
