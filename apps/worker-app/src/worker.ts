/** Charges orders: takes jobs from the queue, calls the payments server, and tells on the terminal how it goes. */
import { join } from 'node:path';
import { createToolWorker } from '@mcp-tx/bullmq';
import { createMcpTx } from '@mcp-tx/core';
import { hostDefaults } from '@mcp-tx/core/job';
import type { Job } from 'bullmq';
import { openShopLedger, paymentsOptions, SHOP_TOOLS, shopSettings } from 'shop';
import { shopQueue } from './place.ts';

const settings = shopSettings(join(import.meta.dirname, '..'), process.env);
const ledger = openShopLedger(settings);
const client = createMcpTx({
  ...hostDefaults('job', process.env),
  ...paymentsOptions(settings, ledger),
  leaseMs: 3_000, // so soon after this process was killed another one may look what became of its calls
});

const worker = createToolWorker({
  ...shopQueue(),
  client,
  tools: SHOP_TOOLS.payments,
  concurrency: 4,
  lockDurationMs: 5_000,
  progress: true,
  onEnd(job, end) {
    if (end.kind === 'acknowledge') tell(job, end.meta.duplicate ? 'was done already' : 'done');
    if (end.kind === 'retryLater') tell(job, `comes again, for nothing became of it: ${end.error.code}`);
    if (end.kind === 'deadLetter') tell(job, `put aside: ${end.error.code}, execution ${end.error.execution}`);
  },
});
worker.worker.on('progress', (job, progress) => {
  const { progress: done, total, message } = progress as { progress: number; total?: number; message?: string };
  tell(job, `${done}/${total ?? '?'} ${message ?? ''}`);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await worker.close();
    await client.close();
    await ledger.close();
    process.exit(0);
  });
}
console.log(`worker ${process.pid} is at work`);

function tell(job: Job, what: string): void {
  const { arguments: args } = job.data as { readonly arguments?: { readonly orderId?: string } };
  console.log(`  ${job.name} ${args?.orderId ?? ''}  ${what}`);
}
