/** Opens connections with SDK v1, `@modelcontextprotocol/sdk`: the maintenance line, for protocol versions up to 2025-11-25. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { StreamableHTTPClientTransportOptions } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { openClient } from './open-client.ts';
import type { Connect } from './owned-connection.ts';
import { OwnedConnection } from './owned-connection.ts';
import type { ClientIdentity, HttpServerOptions, StdioServerOptions } from './server-options.ts';
import { announcedBy, checkUrl, httpFetch, stdioParameters } from './server-options.ts';
import type { ServerSource } from './server-source.ts';
import { serverSource } from './server-source.ts';

/** Starts the server as a child process and speaks with it over its standard input and output. @throws McpTxError `CONFIG_INVALID` */
export function stdio(options: StdioServerOptions): ServerSource {
  const parameters = stdioParameters(options);
  return serverSource((context) => {
    const connect: Connect = (_tap, timeoutMs, signal) =>
      openClient(clientFor(options.client), new StdioClientTransport(parameters), timeoutMs, signal);
    return new OwnedConnection(connect, context);
  });
}

/** What {@link http} takes with SDK v1. */
export interface HttpV1Options extends HttpServerOptions {
  /** The SDK's OAuth provider. */
  readonly authProvider?: NonNullable<StreamableHTTPClientTransportOptions['authProvider']>;
}

/** Speaks with a server over Streamable HTTP. @throws McpTxError `CONFIG_INVALID` */
export function http(options: HttpV1Options): ServerSource {
  const url = checkUrl(options.url);
  return serverSource((context) => {
    const connect: Connect = (currentTap, timeoutMs, signal) => {
      const transport = new StreamableHTTPClientTransport(url, {
        fetch: httpFetch(options, context.clock, currentTap),
        ...(options.authProvider === undefined ? {} : { authProvider: options.authProvider }),
      });
      return openClient(clientFor(options.client), transport as Transport, timeoutMs, signal);
    };
    return new OwnedConnection(connect, context);
  });
}

function clientFor(identity: ClientIdentity | undefined): Client {
  const { info, capabilities } = announcedBy(identity);
  return new Client(info, { capabilities });
}
