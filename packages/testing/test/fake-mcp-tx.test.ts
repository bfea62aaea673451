import type { McpTx } from '@mcp-tx/core';
import { describe, expect } from 'vitest';
import { createFakeMcpTx } from '../src/index.ts';
import { mcpTxTest } from '../src/vitest.ts';

/** Stands for the code of a user. */
async function placeOrder(tx: McpTx, id: string): Promise<{ receipt: unknown; attempts: number }> {
  const { result, meta } = await tx.callTool('charge', { id }, { idempotencyKey: `order:${id}` });
  return { receipt: result.structured, attempts: meta.attempts };
}

const tools = { charge: ({ id }: Readonly<Record<string, unknown>>) => ({ receipt: `r-${id}` }) };

describe('a fake instance', () => {
  mcpTxTest('answers from the tool, and shows what was sent and what happened', async ({ fakeMcpTx }) => {
    const fake = fakeMcpTx({ tools });
    expect(await fake.until(placeOrder(fake.tx, '7'))).toEqual({ receipt: { receipt: 'r-7' }, attempts: 1 });
    expect(await fake.until(placeOrder(fake.tx, '7'))).toMatchObject({ attempts: 1 });
    expect(fake.sends).toMatchObject([{ tool: 'charge', arguments: { id: '7' }, attempt: 1, fate: 'answer' }]);
    expect(fake.effects).toHaveLength(1);
  });

  mcpTxTest.for([
    ['lose-answer', { code: 'IN_DOUBT', reason: 'connection-lost' }, 1],
    ['lose-request', { code: 'IN_DOUBT', reason: 'connection-lost' }, 0],
    ['stay-silent', { code: 'IN_DOUBT', reason: 'timeout' }, 1],
    ['reject', { code: 'REJECTED', execution: 'none' }, 0],
    [{ answerAfterMs: 5_000 }, { code: 'IN_DOUBT', reason: 'timeout' }, 0],
  ] as const)('lets a test see %j', async ([fate, error, effects], { fakeMcpTx }) => {
    const fake = fakeMcpTx({ tools, script: { charge: [fate] } });
    await expect(fake.until(placeOrder(fake.tx, '7'))).rejects.toMatchObject(error);
    expect(fake.effects).toHaveLength(effects);
    expect(fake.unusedSteps).toEqual([]);
  });

  mcpTxTest.for([['refuse'], ['busy'], [{ answerAfterMs: 300 }]] as const)(
    'gets over %j',
    async ([fate], { fakeMcpTx }) => {
      const fake = fakeMcpTx({ tools, script: { charge: [fate] }, options: { retry: { baseDelayMs: 10 } } });
      expect(await fake.until(placeOrder(fake.tx, '7'))).toMatchObject({ receipt: { receipt: 'r-7' } });
      expect(fake.effects).toHaveLength(1);
    },
  );

  mcpTxTest('takes what a tool throws for its answer', async ({ fakeMcpTx }) => {
    const fake = fakeMcpTx({
      tools: {
        charge: () => {
          throw new Error('card declined');
        },
      },
    });
    const { result } = await fake.until(fake.tx.callTool('charge'));
    expect(result).toMatchObject({ isError: true, content: [{ text: 'card declined' }] });
  });

  mcpTxTest('checks arguments against a tool’s schema', async ({ fakeMcpTx }) => {
    const inputSchema = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] };
    const fake = fakeMcpTx({ tools: { charge: { inputSchema, run: () => 'ok' } } });
    await expect(fake.until(fake.tx.callTool('charge', { id: 7 }))).rejects.toMatchObject({
      code: 'ARGUMENTS_INVALID',
    });
    expect(fake.sends).toEqual([]);
  });

  mcpTxTest('tells steps that nothing reached', ({ fakeMcpTx }) => {
    const fake = fakeMcpTx({ tools, script: { charge: ['answer', 'busy'] } });
    expect(fake.unusedSteps).toHaveLength(2);
  });

  mcpTxTest('refuses a script for a tool that is not there', () => {
    expect(() => createFakeMcpTx({ tools, script: { refund: ['busy'] } })).toThrow('refund');
  });
});
