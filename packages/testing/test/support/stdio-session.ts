/** Owns one SDK v1 client over stdio for a test: connected, watched for errors, and gone with its server afterwards. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { RELIABILITY_ID } from '../../src/faulty-server/tool-call.ts';
import type { StdioCommand } from '../../src/faulty-server.ts';
import type { Session } from './session.ts';
import { PATIENCE_MS, toSession } from './session.ts';

export interface StdioSession extends Session, AsyncDisposable {
  /** Process id of the server, or of what stands before it. */
  readonly pid: number;
}

/** Starts a server and connects to it. */
export async function openStdio(
  { command, args, env }: StdioCommand,
  timeoutMs: number = PATIENCE_MS,
): Promise<StdioSession> {
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities: { experimental: { [RELIABILITY_ID]: {} } } },
  );
  const transport = new StdioClientTransport({ command, args, env, stderr: 'inherit' });
  const session = toSession(client);
  const dispose = async (): Promise<void> => killAll(await closed(client, transport));
  await client.connect(transport, { timeout: timeoutMs }).catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  return { ...session, pid: transport.pid ?? 0, [Symbol.asyncDispose]: dispose };
}

/** Closing waits two seconds for a server that is not listening any more; a test does not. */
async function closed(client: Client, transport: StdioClientTransport): Promise<number | null> {
  const { pid } = transport;
  if (pid !== null) setTimeout(() => killAll(pid), 200).unref();
  await client.close();
  return pid;
}

function killAll(pid: number | null): void {
  try {
    if (pid !== null) process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
