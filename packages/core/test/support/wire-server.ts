/** A server written by hand on the far end of an in-memory pair: a test sees every frame, and writes every answer. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { ToolDefinition } from '../../src/index.ts';

/** A JSON-RPC message. */
export interface Frame {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** What a test holds. */
export interface WireServer {
  readonly client: Client;
  readonly transport: InMemoryTransport;
  /** Every `tools/call` and every notification that came in. */
  readonly frames: Frame[];
  /** What the SDK's client complained about. */
  readonly complaints: Error[];
  /** Answers what is neither part of the handshake nor a call. */
  answer: (frame: Frame) => void;
  /** Sends a frame to the client. */
  send(frame: Frame): void;
}

/** The answer of a tool that is content with itself. */
export const OK = { content: [{ type: 'text', text: 'ok' }] };

/** Connects `client` to a server with these tools; `onCall` answers calls, or does not. */
export async function wireServer(
  onCall: (frame: Frame, server: WireServer) => void = ({ id }, server) => server.send({ id: id ?? '', result: OK }),
  tools: readonly ToolDefinition[] = [{ name: 'pay' }],
  client: Client = new Client({ name: 'test', version: '1' }),
  capabilities: object = {},
): Promise<WireServer> {
  const [transport, far] = InMemoryTransport.createLinkedPair();
  const send = (frame: Frame): void => void far.send({ jsonrpc: '2.0', ...frame } as never);
  const server: WireServer = { client, transport, frames: [], complaints: [], send, answer: () => undefined };
  client.onerror = (error) => server.complaints.push(error);
  far.onmessage = (message) => {
    const frame = message as Frame;
    if (frame.method === 'initialize')
      send({ id: frame.id ?? 0, result: { ...INITIALIZED, capabilities: { tools: {}, ...capabilities } } });
    else if (frame.method === 'tools/list') send({ id: frame.id ?? 0, result: { tools: tools.map(withInput) } });
    else server.frames.push(frame);
    if (frame.method === 'tools/call') onCall(frame, server);
    else server.answer(frame);
  };
  await client.connect(transport);
  server.frames.length = 0; // the handshake is not what a test looks at
  return server;
}

const INITIALIZED = {
  protocolVersion: '2025-06-18',
  serverInfo: { name: 'wire', version: '1' },
};

function withInput(tool: ToolDefinition): ToolDefinition {
  return { inputSchema: { type: 'object' }, ...tool };
}
