// The twenty servers of `bench hub`: real SDK clients in memory, before servers that take their time, of which three misbehave.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hub } from '@mcp-tx/core';
import { createHub, memoryLedger } from '@mcp-tx/core';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';

/** How a server answers a call. */
type Manner = 'healthy' | 'hung' | 'garbage';

/** How long a healthy server takes, ms. With it the servers are what bounds the throughput, and not the processor. */
const SERVICE_MS = 20;
const FLAP_MS = 100;
/** The servers that will misbehave. */
export const TROUBLED = ['hung', 'flapping', 'garbage'] as const;
/** The others. */
export const HEALTHY: readonly string[] = Array.from({ length: 17 }, (_, n) => `server-${n}`);

/** A hub, and how its troubles end. */
export interface HubWorld {
  readonly hub: Hub;
  /** How often the flapping server lost its connection. */
  flaps(): number;
  close(): Promise<void>;
}

/** Makes it. The three misbehave from the first call. */
export async function openHub(): Promise<HubWorld> {
  const ledger = memoryLedger({ maxRecords: 1_000_000 });
  const hub = createHub({ ledger, retentionMs: 2_000, timeoutMs: 400, settleGraceMs: 100, retry: { baseDelayMs: 20 } });
  for (const name of HEALTHY) hub.add(name, { server: (await connected('healthy')) as never });
  hub.add('hung', { server: (await connected('hung')) as never });
  hub.add('garbage', { server: (await connected('garbage')) as never });
  const flapping = await connected('healthy');
  hub.add('flapping', { server: flapping as never });
  let flaps = 0;
  const timer = setInterval(() => {
    flaps += 1;
    void flapping
      .close()
      .then(() => sleep(FLAP_MS / 4))
      .then(() => connect(flapping, 'healthy'));
  }, FLAP_MS);
  return {
    hub,
    flaps: () => flaps,
    async close() {
      clearInterval(timer);
      await sleep(FLAP_MS);
      await hub.close({ graceMs: 0 });
    },
  };
}

async function connected(manner: Manner): Promise<Client> {
  const client = new Client({ name: 'bench', version: '1' });
  await connect(client, manner);
  return client;
}

async function connect(client: Client, manner: Manner): Promise<void> {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const send = (id: unknown, result: object): void =>
    void far.send({ jsonrpc: '2.0', id, result } as never).catch(() => undefined);
  far.onmessage = (message) => {
    const { id, method, params } = message as { id?: unknown; method?: string; params?: { protocolVersion?: string } };
    if (method === 'initialize') send(id, { ...INITIALIZED, protocolVersion: params?.protocolVersion });
    else if (method === 'tools/list') send(id, { tools: [{ name: 'pay', inputSchema: { type: 'object' } }] });
    else if (method === 'ping') send(id, {});
    else if (method === 'tools/call') answer(manner, (result) => send(id, result));
  };
  await client.connect(near);
}

const INITIALIZED = { capabilities: { tools: {} }, serverInfo: { name: 'bench', version: '1' } };

function answer(manner: Manner, send: (result: object) => void): void {
  if (manner === 'garbage') send({ nonsense: true });
  else if (manner === 'healthy') setTimeout(() => send({ content: [{ type: 'text', text: 'ok' }] }), SERVICE_MS);
}
