/** Owns one SDK v1 client over Streamable HTTP for a test: connected, watched for errors, and closed afterwards. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Session } from './session.ts';
import { PATIENCE_MS, toSession } from './session.ts';

/** Connects to a server. */
export async function openHttp(
  { url }: { readonly url: string },
  timeoutMs: number = PATIENCE_MS,
): Promise<Session & AsyncDisposable> {
  const client = new Client({ name: 'test', version: '1' });
  const session = toSession(client);
  const transport = new StreamableHTTPClientTransport(new URL(url));
  // The SDK's own classes do not agree with each other under exactOptionalPropertyTypes.
  await client.connect(transport as never, { timeout: timeoutMs });
  return { ...session, [Symbol.asyncDispose]: () => client.close() };
}
