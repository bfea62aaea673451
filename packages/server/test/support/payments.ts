// Starts the payments server of programs/ as a child, with its effect log and its database in one folder.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Effect } from '@mcp-tx/testing/faulty-server';
import { readEffectLog } from '@mcp-tx/testing/faulty-server';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Caller } from './lines.ts';
import { callerOf } from './lines.ts';

const PROGRAM = fileURLToPath(new URL('../programs/payments-server.ts', import.meta.url));

/** How a server process is started. */
export interface Program {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

export type Child = Caller & { readonly pid: number };

export interface Payments extends Program, Disposable {
  effects(): readonly Effect[];
}

export function payments(options: { readonly leaseMs?: number; readonly die?: 'before' | 'after' } = {}): Payments {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-server-'));
  const log = join(folder, 'effects.jsonl');
  const own = [log, join(folder, 'operations.db'), String(options.leaseMs ?? 15_000)];
  return {
    command: process.execPath,
    args: ['--conditions=mcp-tx:source', '--disable-warning=ExperimentalWarning', PROGRAM, ...own],
    env: options.die === undefined ? {} : { DIE: options.die },
    effects: () => readEffectLog(log),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A child with a plain client of SDK v1. */
export async function startChild({ command, args, env }: Program): Promise<Child> {
  const transport = new StdioClientTransport({
    command,
    args,
    env: { ...process.env, ...env } as never,
    stderr: 'inherit',
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  return { ...callerOf(client, false), pid: transport.pid ?? 0 };
}
