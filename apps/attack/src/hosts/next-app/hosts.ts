// The hosts that run inside of one Next server: one per profile, shared by the bundles of all routes.
import type { McpTx } from '@mcp-tx/core';
import type { McpTxHandlers } from '@mcp-tx/next';
import { createMcpTxHandlers } from '@mcp-tx/next';
import type { HttpHostProfile } from '@mcp-tx/testing/http-contract';
import { httpHostOptions } from '@mcp-tx/testing/http-contract';

interface Host {
  readonly client: McpTx;
  readonly handlers: McpTxHandlers;
}

const HOME: unique symbol = Symbol.for('attack.hosts');

/** Sets a host up. @throws McpTxError when it refuses the profile */
export function openHost(profile: string): void {
  const { client, options } = httpHostOptions(
    JSON.parse(Buffer.from(profile, 'base64url').toString()) as HttpHostProfile,
  );
  hosts().set(profile, { client, handlers: createMcpTxHandlers(options) });
}

/** The handlers of a host that was set up. */
export function handlersOf(profile: string): McpTxHandlers | undefined {
  return hosts().get(profile)?.handlers;
}

/** Ends a host, after the calls under way. */
export async function closeHost(profile: string): Promise<void> {
  await hosts().get(profile)?.client.close();
  hosts().delete(profile);
}

function hosts(): Map<string, Host> {
  const place = globalThis as { [HOME]?: Map<string, Host> };
  place[HOME] ??= new Map();
  return place[HOME];
}
