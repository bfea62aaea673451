// A client in a process of its own: reads the number of a call per line, makes the call, and writes number and end.
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createMcpTx } from '@mcp-tx/core';
import { stdio } from '@mcp-tx/core/sdk-v1';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { End, Subject } from './scene.ts';
import { SLOTS } from './scene.ts';

const SERVER = {
  command: process.execPath,
  args: [...process.execArgv, fileURLToPath(new URL('./tool-server.ts', import.meta.url))],
};

async function throughMcpTx(maxQueued: number, timeoutMs: number): Promise<() => Promise<End>> {
  const limits = { maxInFlight: SLOTS, maxQueued };
  const tx = createMcpTx({ server: stdio(SERVER), timeoutMs, limits, breaker: false, retentionMs: 10_000 });
  await tx.initialize();
  return async () => {
    const outcome = await tx.tryCallTool('work');
    if (outcome.ok) return 'ok';
    return outcome.error.execution === 'none' ? 'refused' : 'unknown';
  };
}

async function throughSdk(timeout: number): Promise<() => Promise<End>> {
  const client = new Client({ name: 'overload', version: '1.0.0' });
  await client.connect(new StdioClientTransport(SERVER));
  return () =>
    client.callTool({ name: 'work' }, undefined, { timeout }).then(
      () => 'ok',
      () => 'unknown',
    );
}

const subjects: Readonly<Record<Subject, () => Promise<() => Promise<End>>>> = {
  'short-line': () => throughMcpTx(4, 1_000),
  'long-line': () => throughMcpTx(256, 200),
  raw: () => throughSdk(1_000),
};

const call = await subjects[process.argv[2] as Subject]();
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  void call().then((end) => process.stdout.write(`${line} ${end}\n`));
}
process.exit(0);
