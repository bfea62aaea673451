/** Proves that what a server action gives back can travel: results as plain objects, errors of MCP-Tx as problems. */
import type { FakeMcpTx } from '@mcp-tx/testing';
import { createFakeMcpTx } from '@mcp-tx/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ActionOptions } from '../src/index.ts';
import { action } from '../src/index.ts';

let fake: FakeMcpTx;
let options: ActionOptions;
beforeEach(() => {
  fake = createFakeMcpTx({
    tools: { charge: () => ({ charged: true }) },
    script: { charge: ['answer', 'lose-answer'] },
  });
  options = { client: () => fake.tx, authenticate: () => ({ scope: 'ann' }) };
});
afterEach(() => fake[Symbol.asyncDispose]());

it('gives results as plain objects, their structured view included', async () => {
  const charge = action(options, (mcpTx, key: string) => mcpTx.callTool('charge', {}, { idempotencyKey: key }));
  const answer = await fake.until(charge('k'));
  if (!answer.ok) throw new Error('it failed');
  const { result, meta } = answer.result;
  expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  expect(Object.keys(result)).toContain('structured');
  expect(result.structured).toEqual({ charged: true });
  expect(meta).toMatchObject({ processed: true, duplicate: false });
  expect((await fake.tx.getOperation(meta.operationId))?.scope).toBe('ann');
});

it('runs a second submit of the same form as the same operation', async () => {
  const charge = action(options, (mcpTx, key: string) => mcpTx.callTool('charge', {}, { idempotencyKey: key }));
  const both = await fake.until(Promise.all([charge('k'), charge('k')]));
  expect(both.map(({ ok }) => ok)).toEqual([true, true]);
  expect(fake.effects).toHaveLength(1);
});

it('gives errors of MCP-Tx as problems that survive JSON', async () => {
  const charge = action(options, (mcpTx, key: string) => mcpTx.callTool('charge', {}, { idempotencyKey: key }));
  await fake.until(charge('k'));
  const answer = await fake.until(charge('l'));
  expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
  expect(answer).toMatchObject({ ok: false, problem: { code: 'IN_DOUBT', execution: 'unknown', retryable: false } });
  expect(fake.unusedSteps).toEqual([]);
});

it('does not run for somebody who is not known', async () => {
  let ran = false;
  const act = action({ ...options, authenticate: async () => null }, () => {
    ran = true;
  });
  expect(await act()).toMatchObject({ ok: false, problem: { code: 'UNAUTHENTICATED', status: 401 } });
  expect(ran).toBe(false);
});

it('throws on what is not its own: redirects of Next, and bugs', async () => {
  const redirect = Object.assign(new Error('NEXT_REDIRECT'), { digest: 'NEXT_REDIRECT;push;/;303;' });
  const act = action(options, () => {
    throw redirect;
  });
  await expect(act()).rejects.toBe(redirect);
});

it('leaves what React can carry as it is, and keeps circles', async () => {
  const at = new Date(0);
  const circle: { self?: unknown; at: Date; map: Map<string, number> } = { at, map: new Map([['a', 1]]) };
  circle.self = circle;
  const act = action({ ...options, authenticate: 'single-tenant' }, () => circle);
  const answer = await act();
  if (!answer.ok) throw new Error('it failed');
  expect(answer.result.at).toBe(at);
  expect(answer.result.map).toBe(circle.map);
  expect(answer.result.self).toBe(answer.result);
});
