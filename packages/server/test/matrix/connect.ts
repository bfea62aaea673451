// The client's side of a cell: an engine over one of three SDK clients, and how its server is reached.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { McpTx, McpTxOptions } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import { http, stdio } from '@mcp-tx/core/sdk-v1';
import { http as httpV2, stdio as stdioV2 } from '@mcp-tx/core/sdk-v2';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { Client as ClientV2, InMemoryTransport as InMemoryV2 } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { Bench } from './bench.ts';
import type { Cell, ClientKind, ServerKind } from './cells.ts';
import { serveConnection, serverFactory } from './serve.ts';

const RUN = ['--conditions=mcp-tx:source', '--disable-warning=ExperimentalWarning'];
/** Where Node keeps what it has compiled. Removed after the test. */
export const COMPILED: string = join(tmpdir(), `mcp-tx-matrix-compiled-${process.pid}`);
const PATIENT = {
  timeoutMs: 40_000,
  attemptTimeoutMs: 1_500,
  retry: { baseDelayMs: 300, backoffMultiplier: 1, jitter: 'none', maxAttempts: 40 },
  retryBudget: { capacity: 1_000 },
  breaker: false,
} as const;

/** How a program of `programs/` is started. What Node has compiled once it need not compile for each of a hundred processes. */
export function program(name: string, args: readonly string[]) {
  const path = fileURLToPath(new URL(`../programs/${name}`, import.meta.url));
  const env = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? COMPILED };
  return { command: process.execPath, args: [...RUN, path, ...args], env };
}

/** An engine of this cell. `lasting`: its ledger outlives the process. `url`: where HTTP servers are. */
export async function open(cell: Cell, bench: Bench, url: string | undefined, lasting = false): Promise<McpTx> {
  const ledger = lasting ? { ledger: sqliteLedger(join(bench.folder, 'client.db')), leaseMs: 1_500 } : {};
  return createMcpTx({ name: 'payments', server: await serverOf(cell, bench, url), ...ledger, ...PATIENT });
}

function negotiation(client: ClientKind): {
  readonly versionNegotiation?: { readonly mode: { readonly pin: string } };
} {
  return client === 'SDK v2, 2026-07-28' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {};
}

async function serverOf({ client, server, transport }: Cell, bench: Bench, url = ''): Promise<McpTxOptions['server']> {
  const more = negotiation(client);
  switch (transport) {
    case 'HTTP':
      return client === 'SDK v1' ? http({ url }) : httpV2({ url, ...more });
    case 'stdio': {
      const child = program('matrix-server.ts', [server, bench.folder]);
      return client === 'SDK v1' ? stdio(child) : stdioV2({ ...child, ...more });
    }
    case 'in-memory':
      return inMemory(client, server, bench);
  }
}

const factories = new Map<string, () => object>();

async function inMemory(kind: ClientKind, line: ServerKind, bench: Bench): Promise<McpTxOptions['server']> {
  const make = factories.get(bench.folder) ?? serverFactory(line, bench);
  factories.set(bench.folder, make); // one for a process, as a real one would have it
  const [near, far] = (kind === 'SDK v1' ? InMemoryTransport : InMemoryV2).createLinkedPair();
  await serveConnection(line, bench, make, far);
  const capabilities = { extensions: { 'io.github.mcp-tx/reliability': {} } };
  const info = { name: 'matrix', version: '1' };
  const client =
    kind === 'SDK v1' ? new Client(info, { capabilities }) : new ClientV2(info, { capabilities, ...negotiation(kind) });
  await client.connect(near as never);
  return client as never;
}
