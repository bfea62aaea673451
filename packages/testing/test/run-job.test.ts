import { memoryLedger } from '@mcp-tx/core';
import { createToolJob, runJob } from '@mcp-tx/core/job';
import { expect, it } from 'vitest';
import { createFakeMcpTx } from '../src/index.ts';

const job = createToolJob('pay', { orderId: 'a' }, { idempotencyKey: 'order:a' });
const options = { tools: ['pay'] };

it('doubt that a probe can end does not put a job aside, and sends nothing', async () => {
  const ledger = memoryLedger();
  const tools = { pay: () => ({ paid: true }) };
  await using first = createFakeMcpTx({ tools, script: { pay: ['lose-answer'] }, options: { ledger } });
  expect(await first.until(runJob(first.tx, job, options))).toMatchObject({ kind: 'deadLetter' });
  await first.advance(5_000); // now the ledger has it in doubt
  await using blind = createFakeMcpTx({ tools, options: { ledger } });
  const stillInDoubt = { kind: 'deadLetter', error: { code: 'IN_DOUBT' } };
  expect(await blind.until(runJob(blind.tx, job, options))).toMatchObject(stillInDoubt);
  const probe = () => ({ verdict: 'completed', result: { content: [], structuredContent: { paid: true } } }) as const;
  await using seeing = createFakeMcpTx({ tools, options: { ledger, tools: { pay: { probe } } } });
  const end = await seeing.until(runJob(seeing.tx, job, options));
  expect(end).toMatchObject({ kind: 'acknowledge', meta: { duplicate: true, resolvedBy: 'probe' } });
  expect([first.effects.length, blind.sends.length, seeing.sends.length]).toEqual([1, 0, 0]);
});
