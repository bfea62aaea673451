// bench soak: many calls on one instance, to see whether anything grows: heap, timers, listeners, handles.
import { createMcpTx, memoryLedger } from '@mcp-tx/core';
import type { MeasureContext, MeasuredProgram } from 'measure';
import { echoClient } from './subjects.ts';

const flags = {
  calls: { kind: 'integer', says: 'calls in all', default: 1_000_000, min: 10_000, max: 1_000_000_000 },
  keys: { kind: 'integer', says: 'different keys; half of the calls have one', default: 10_000, min: 1, max: 100_000 },
} as const;

/** The program. */
export const soak: MeasuredProgram<typeof flags> = {
  command: 'bench soak',
  about: 'whether heap or handles grow over many calls on one instance',
  seed: 1,
  flags,
  run,
};

async function run(context: MeasureContext<{ readonly calls: number; readonly keys: number }>): Promise<void> {
  const { calls, keys } = context.flags;
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error('start this with --expose-gc, as `pnpm bench` does');
  const client = await echoClient();
  const handlesBefore = process.getActiveResourcesInfo().length;
  const tx = createMcpTx({ server: client, ledger: memoryLedger({ maxRecords: keys + 2_000 }), sweepIntervalMs: 0 });
  await tx.initialize();
  const heaps: number[] = [];
  const share = Math.floor(calls / 10);
  for (let n = 0; n < calls; n += 1) {
    const options = n % 2 === 0 ? undefined : { idempotencyKey: `order:${((n - 1) / 2) % keys}` };
    await tx.callTool('echo', { text: 'hello' }, options);
    if ((n + 1) % share !== 0) continue;
    context.signal.throwIfAborted();
    collect();
    heaps.push(process.memoryUsage().heapUsed / 1e6);
    context.progress(n + 1, calls, 'calls');
  }
  await tx.close();
  const first = heaps[1] as number; // the first tenth still fills the ledger
  const last = heaps.at(-1) as number;
  context.figure('calls', calls);
  context.figure('heapMB.early', Math.round(first * 100) / 100);
  context.figure('heapMB.late', Math.round(last * 100) / 100);
  context.figure('G3', Math.round((last / first) * 1_000) / 1_000);
  const handlesLeft = process.getActiveResourcesInfo().length - handlesBefore;
  context.figure('handlesLeft', handlesLeft);
  if (last > first * 1.02) context.violation('G3', `the heap grew from ${first.toFixed(1)} to ${last.toFixed(1)} MB`);
  if (handlesLeft > 0)
    context.violation('handles', `${handlesLeft} handles are left: ${process.getActiveResourcesInfo().join(', ')}`);
}
