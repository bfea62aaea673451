// A worker: does all operations by key, however often it is started. Prints a line per answer, so that its parent sees it move.
// Told to stop (SIGTERM), it begins no other call and ends in good order.
import { setTimeout as sleep } from 'node:timers/promises';
import { createMcpTx, isMcpTxError } from '@mcp-tx/core';
import { stdio } from '@mcp-tx/core/sdk-v1';
import { openStore } from './store.ts';
import type { Job } from './work.ts';
import { orderOf, TIMES } from './work.ts';

const job = JSON.parse(process.argv[2] as string) as Job;
const store = openStore(job.store);
const { ledger } = store;
const tx = createMcpTx({
  name: 'payments',
  server: stdio({ ...job.server, stderr: 'ignore' }),
  ledger,
  sweepIntervalMs: 500,
  ...TIMES,
});
tx.on('ledger.delayed', ({ operationId, error }) => {
  console.log(`wait ${operationId} ${isMcpTxError(error) ? error.code : 'untyped'}`);
});
await tx.initialize();

/** Asks again while the store is away and nothing was sent. */
async function pay(n: number): ReturnType<typeof tx.tryCallTool> {
  for (;;) {
    const outcome = await tx.tryCallTool('pay', { orderId: orderOf(n), amount: n }, { idempotencyKey: orderOf(n) });
    if (outcome.ok || outcome.error.code !== 'LEDGER_UNAVAILABLE') return outcome;
    await sleep(50);
  }
}

let next = job.from ?? 0;
process.on('SIGTERM', () => {
  next = job.operations;
});
async function work(): Promise<void> {
  while (next < job.operations) {
    const n = next;
    next += 1;
    const outcome = await pay(n);
    const isNew = !outcome.ok || !outcome.meta.duplicate;
    console.log(`${isNew ? 'new' : 'old'} ${orderOf(n)} ${outcome.ok ? 'completed' : outcome.error.code}`);
  }
}

await Promise.all(Array.from({ length: job.concurrency }, work));
await tx.close();
await store.close();
console.log('done');
