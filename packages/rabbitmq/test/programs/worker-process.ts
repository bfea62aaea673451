/** A worker in a process of its own, with a ledger that outlives it. Says `ready` once it takes jobs. */
import { createMcpTx } from '@mcp-tx/core';
import { hostDefaults } from '@mcp-tx/core/job';
import { http } from '@mcp-tx/core/sdk-v1';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { createToolWorker } from '../../src/index.ts';

const { server, ledger, ...where } = JSON.parse(process.argv[2] as string);
const client = createMcpTx({
  ...hostDefaults('job'), // five sends in all, whoever makes them
  name: 'payments',
  server: http({ url: server }),
  ledger: sqliteLedger(ledger),
  ...{ leaseMs: 500, timeoutMs: 20_000, settleGraceMs: 100, sweepIntervalMs: 0 },
});
await client.initialize(); // so that the first call, too, knows that the server recognises repeats
const worker = createToolWorker({
  ...where,
  client,
  tools: ['pay'],
  retryDelaysMs: [100, 500],
  retryLater: { baseDelayMs: 200, maxDelayMs: 400 },
});
await worker.start();
console.log('ready');
