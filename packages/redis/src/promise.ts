/** Reads from the server what it promises of writes, and refuses one that promises less than the user says. */
import type { Durability } from '@mcp-tx/core/ledger';
import { isAtLeast, McpTxError } from '@mcp-tx/core/ledger';
import type { Redis } from 'ioredis';
import type { RedisClient } from './redis-ledger-options.ts';

/** @throws McpTxError `CONFIG_INVALID`; what the client throws */
export async function requirePromise(client: RedisClient, expected: Durability): Promise<void> {
  for (const node of nodesOf(client)) {
    const info = await node.info();
    requireNoEviction(field(info, 'maxmemory_policy'));
    requireDurability(await durabilityOf(node, info), expected);
  }
}

function requireNoEviction(policy: string | undefined): void {
  // The volatile- policies take only keys that have a time to live, and no key of ours has.
  if (policy === undefined || !policy.startsWith('allkeys-')) return;
  const message = `The server's maxmemory-policy is ${policy}: it throws records away when its memory is full, and a call whose record is gone runs twice. Set maxmemory-policy noeviction.`;
  throw new McpTxError('CONFIG_INVALID', message);
}

function requireDurability(actual: Durability, expected: Durability): void {
  if (isAtLeast(actual, expected)) return;
  const cure = expected === 'fsync' ? 'appendonly yes and appendfsync always' : 'appendonly yes';
  const message = `The server's writes are of class '${actual}', not '${expected}'. Set ${cure}, or say durability: '${actual}'.`;
  throw new McpTxError('CONFIG_INVALID', message);
}

/** A server that does not tell its settings promises no more than what INFO says. */
async function durabilityOf(node: Redis, info: string): Promise<Durability> {
  if (field(info, 'aof_enabled') !== '1') return 'process';
  try {
    const [, appendfsync] = (await node.config('GET', 'appendfsync')) as readonly string[];
    return appendfsync === 'always' ? 'fsync' : 'async';
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return 'async';
    throw error;
  }
}

/** In a cluster every node that may hold the keys, now or after they were moved. */
function nodesOf(client: RedisClient): readonly Redis[] {
  return 'nodes' in client ? client.nodes('master') : [client];
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
