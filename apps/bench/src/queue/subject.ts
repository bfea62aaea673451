// The tool `echo` as queue workers call it: through MCP-Tx and bare, in this process or in one of its own.
import { fileURLToPath } from 'node:url';
import type { McpTx } from '@mcp-tx/core';
import { createMcpTx, memoryLedger } from '@mcp-tx/core';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { echoClient, instance } from '../subjects.ts';

/** The same tool, called in two ways. */
export interface Subject extends AsyncDisposable {
  readonly client: Client;
  readonly tx: McpTx;
}

/** A tool that costs nothing: whatever a worker adds is seen at its largest. */
export async function inMemory(): Promise<Subject> {
  return subject(await echoClient(), await instance());
}

/** A tool server in a process of its own, as it is in life. Records live for a second or two: the run must not measure a growing heap. */
export async function overStdio(): Promise<Subject> {
  const ledger = memoryLedger({ maxRecords: 1_000_000 });
  const server = await stdioClient();
  return subject(await stdioClient(), createMcpTx({ server, ledger, retentionMs: 1_000, sweepIntervalMs: 0 }), server);
}

function subject(client: Client, tx: McpTx, server?: Client): Subject {
  return {
    client,
    tx,
    async [Symbol.asyncDispose]() {
      await tx.close();
      await client.close();
      await server?.close();
    },
  };
}

async function stdioClient(): Promise<Client> {
  const script = fileURLToPath(new URL('./echo-server.ts', import.meta.url));
  const client = new Client({ name: 'bench', version: '1.0.0' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [script] }));
  return client;
}
