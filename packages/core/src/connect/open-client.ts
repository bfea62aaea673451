/** Connects a client of either SDK, or closes what was opened for it. */

/** What both SDKs' clients have in common. */
interface SdkClient<Transport> {
  connect(transport: Transport, within: { readonly timeout: number; readonly signal: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}

/** The client, once it is connected. @throws whatever `connect` throws, after both ends are closed */
export async function openClient<Transport extends { close(): Promise<void> }, Client extends SdkClient<Transport>>(
  client: Client,
  transport: Transport,
  timeout: number,
  signal: AbortSignal,
): Promise<Client> {
  try {
    await client.connect(transport, { timeout, signal });
    return client;
  } catch (error) {
    await client.close().catch(() => undefined);
    await transport.close().catch(() => undefined);
    throw error;
  }
}
