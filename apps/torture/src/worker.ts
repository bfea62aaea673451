// A worker: does all operations by key, however often it is started. Prints a line per answer, so that its parent sees it move.
import { createMcpTx } from '@mcp-tx/core';
import { stdio } from '@mcp-tx/core/sdk-v1';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import type { Job } from './work.ts';
import { orderOf, TIMES } from './work.ts';

const job = JSON.parse(process.argv[2] as string) as Job;
const ledger = sqliteLedger(job.ledgerFile);
const tx = createMcpTx({
  name: 'payments',
  server: stdio({ ...job.server, stderr: 'ignore' }),
  ledger,
  sweepIntervalMs: 500,
  ...TIMES,
});
await tx.initialize();

let next = 0;
async function work(): Promise<void> {
  while (next < job.operations) {
    const n = next;
    next += 1;
    const outcome = await tx.tryCallTool('pay', { orderId: orderOf(n), amount: n }, { idempotencyKey: orderOf(n) });
    const isNew = !outcome.ok || !outcome.meta.duplicate;
    console.log(`${isNew ? 'new' : 'old'} ${orderOf(n)} ${outcome.ok ? 'completed' : outcome.error.code}`);
  }
}

await Promise.all(Array.from({ length: job.concurrency }, work));
await tx.close();
await ledger.close();
console.log('done');
