// A worker of a queue, until its stdin ends or it is killed. Prints a line per run of a job, so that its parent sees it move.
import { createMcpTx } from '@mcp-tx/core';
import { stdio } from '@mcp-tx/core/sdk-v1';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { QUEUE_KINDS } from './queues/kinds.ts';
import type { Flavour, QueueName } from './queues/queue.ts';
import { openStore } from './store.ts';
import type { Job } from './work.ts';
import { TIMES } from './work.ts';

/** What a worker is told. */
export interface QueueJob extends Job {
  readonly queue: QueueName;
  readonly address: string;
  readonly name: string;
  readonly flavour: Flavour;
}

const job = JSON.parse(process.argv[2] as string) as QueueJob;
const kind = QUEUE_KINDS[job.queue];
const onEnd = (end: string): void => console.log(`end ${end}`);
const { server, concurrency } = job;

async function ours(): Promise<() => Promise<unknown>> {
  const store = openStore(job.store);
  const client = createMcpTx({
    name: 'payments',
    server: stdio({ ...server, stderr: 'ignore' }),
    ledger: store.ledger,
    sweepIntervalMs: 500,
    ...TIMES,
  });
  await client.initialize();
  const worker = await kind.work(job.address, job.name, { flavour: 'ours', client, concurrency, onEnd });
  return () => Promise.all([worker.close()]).then(() => client.close().then(() => store.close()));
}

async function bare(): Promise<() => Promise<unknown>> {
  const client = new Client({ name: 'torture', version: '1.0.0' });
  const { command, args, env } = server;
  const environment = { ...(process.env as Record<string, string>), ...env };
  await client.connect(new StdioClientTransport({ command, args: [...args], env: environment, stderr: 'ignore' }));
  const worker = await kind.work(job.address, job.name, { flavour: 'bare', client, concurrency, onEnd });
  return () => worker.close().then(() => client.close());
}

const close = await (job.flavour === 'ours' ? ours() : bare());
console.log('ready');
process.stdin.resume().once('end', () => void close().then(() => process.exit(0)));
