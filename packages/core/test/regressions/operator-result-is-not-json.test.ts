// DESIGN 6: callTool throws McpTxError and nothing else; 3.7: a verdict is stored only when it can be replayed.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

it.each([
  ['a function', () => 1],
  ['an object that turns into nothing', { toJSON: () => undefined }],
  ['a string', 'paid' as never as object],
  ['a BigInt within', { content: [], balance: 1n }],
])('%s as an operator’s result is refused as CALL_INVALID', async (_what, result) => {
  const { tx, clock } = await instance([fates.reset]);
  const doubt = await within(clock, 100, tx.tryCallTool('pay', {}, { idempotencyKey: 'k' }));
  const operationId = doubt.ok ? '' : (doubt.error.operationId ?? '');
  const verdict = { outcome: 'completed', by: 'ann', reason: 'saw it', result } as const;
  await expect(tx.resolve(operationId, verdict)).rejects.toMatchObject({ code: 'CALL_INVALID' });
});
