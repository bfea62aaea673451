// MCP-Tx itself, on each of its stores: the effect is a tool behind a real client and server of the MCP SDK.
import { createMcpTx } from '@mcp-tx/core';
import type { Ledger } from '@mcp-tx/core/ledger';
import { redisLedger } from '@mcp-tx/redis';
import { sqlLedger } from '@mcp-tx/sql';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import mysql from 'mysql2';
import pg from 'pg';
import { z } from 'zod';
import type { Effect, OpenSubject, StoreAddress, StoreName, Subject } from '../subject.ts';

type Mode = 'at-most-once' | 'at-least-once';

const PROMISES: Readonly<Record<Mode, string>> = {
  'at-most-once': 'runs once; what nobody can know is said to be in doubt',
  'at-least-once':
    'the user has declared the tool safe to repeat: runs again after a lost holder, and keeps one result',
};

/** One subject. */
export function mcpTx(store: StoreName, mode: Mode): Subject {
  return {
    label: `MCP-Tx, ${mode}`,
    store,
    promises: PROMISES[mode],
    isOurs: true,
    mayRepeat: mode === 'at-least-once',
    open: (address, effect, leaseMs) => open(store, mode, address, effect, leaseMs),
  };
}

async function open(
  store: StoreName,
  mode: Mode,
  address: StoreAddress,
  effect: Effect,
  leaseMs: number,
): Promise<OpenSubject> {
  const { ledger, close } = openLedger(store, address);
  const client = await connect(effect);
  const tx = createMcpTx({
    ...{ name: 'payments', server: client, ledger, timeoutMs: 30_000, leaseMs, settleGraceMs: 200 },
    ...{ quietMs: 50, sweepIntervalMs: 500, limits: { maxInFlight: 512, maxQueued: 4_096 } },
    retryBudget: { capacity: 10_000 }, // 100 take-overs at once are more than a budget of 10 lets run again
    tools: { pay: { delivery: mode } },
  });
  return {
    async call(key) {
      const outcome = await tx.tryCallTool('pay', { key }, { idempotencyKey: key });
      if (outcome.ok) {
        const { receipt } = outcome.result.structuredContent as { readonly receipt: string };
        return { kind: 'result', receipt };
      }
      if (outcome.error.code === 'IN_DOUBT') return { kind: 'in-doubt' };
      return { kind: 'refused', why: outcome.error.code };
    },
    async close() {
      await tx.close();
      await client.close();
      await close();
    },
  };
}

async function connect(effect: Effect): Promise<Client> {
  const server = new McpServer({ name: 'payments', version: '1.0.0' });
  const schemas = { inputSchema: { key: z.string() }, outputSchema: { receipt: z.string() } };
  server.registerTool('pay', schemas, async ({ key }) => {
    const structuredContent = { receipt: await effect(key) };
    return { structuredContent, content: [{ type: 'text', text: JSON.stringify(structuredContent) }] };
  });
  const client = new Client({ name: 'scoreboard', version: '1.0.0' });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(far), client.connect(near)]);
  return client;
}

function openLedger(store: StoreName, { file, port }: StoreAddress): { ledger: Ledger; close: () => Promise<void> } {
  const at = { host: '127.0.0.1', port };
  if (store === 'sqlite') return alone(sqliteLedger(file));
  if (store === 'redis') return alone(redisLedger({ url: `redis://127.0.0.1:${port}` }));
  if (store === 'postgres') {
    const pool = new pg.Pool({ ...at, user: 'postgres', database: 'postgres' });
    const ledger = sqlLedger({ pool, migrate: 'auto' });
    return { ledger, close: () => ledger.close().then(() => pool.end()) };
  }
  const pool = mysql.createPool({ ...at, user: 'root', database: 'mcp_tx' });
  const ledger = sqlLedger({ pool, migrate: 'auto' });
  return { ledger, close: () => ledger.close().then(() => pool.promise().end()) };
}

function alone(ledger: Ledger): { ledger: Ledger; close: () => Promise<void> } {
  return { ledger, close: () => ledger.close() };
}
