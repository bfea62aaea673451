/** Opens connections with SDK v2, `@modelcontextprotocol/client`: the current line, for all protocol versions. */
import type { ClientOptions, StreamableHTTPClientTransportOptions } from '@modelcontextprotocol/client';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { openClient } from './open-client.ts';
import type { Connect } from './owned-connection.ts';
import { OwnedConnection } from './owned-connection.ts';
import type { HttpServerOptions, StdioServerOptions } from './server-options.ts';
import { announcedBy, checkUrl, httpFetch, stdioParameters } from './server-options.ts';
import type { ServerSource } from './server-source.ts';
import { serverSource } from './server-source.ts';

/** Which protocol version to speak: the SDK's own option. Its default is the handshake of 2025-11-25 and before. */
export type VersionNegotiation = NonNullable<ClientOptions['versionNegotiation']>;

/** What {@link stdio} takes with SDK v2. */
export interface StdioV2Options extends StdioServerOptions {
  readonly versionNegotiation?: VersionNegotiation;
}

/** What {@link http} takes with SDK v2. */
export interface HttpV2Options extends HttpServerOptions {
  readonly versionNegotiation?: VersionNegotiation;
  /** The SDK's OAuth provider. */
  readonly authProvider?: NonNullable<StreamableHTTPClientTransportOptions['authProvider']>;
}

/** Starts the server as a child process and speaks with it over its standard input and output. @throws McpTxError `CONFIG_INVALID` */
export function stdio(options: StdioV2Options): ServerSource {
  const parameters = stdioParameters(options);
  return serverSource((context) => {
    const connect: Connect = (_tap, timeoutMs, signal) =>
      openClient(clientFor(options), new StdioClientTransport(parameters), timeoutMs, signal);
    return new OwnedConnection(connect, context);
  });
}

/** Speaks with a server over Streamable HTTP. @throws McpTxError `CONFIG_INVALID` */
export function http(options: HttpV2Options): ServerSource {
  const url = checkUrl(options.url);
  return serverSource((context) => {
    const connect: Connect = (currentTap, timeoutMs, signal) => {
      const transport = new StreamableHTTPClientTransport(url, {
        fetch: httpFetch(options, context.clock, currentTap),
        ...(options.authProvider === undefined ? {} : { authProvider: options.authProvider }),
      });
      return openClient(clientFor(options), transport, timeoutMs, signal);
    };
    return new OwnedConnection(connect, context);
  });
}

function clientFor({ client, versionNegotiation }: StdioV2Options | HttpV2Options): Client {
  const { info, capabilities } = announcedBy(client);
  return new Client(info, {
    capabilities,
    ...(versionNegotiation === undefined ? {} : { versionNegotiation }),
  });
}
