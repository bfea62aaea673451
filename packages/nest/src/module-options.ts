/** What a user says of a connection in `forRoot` and `forRootAsync`. */
import type { IncomingMessage } from 'node:http';
import type { McpTx, McpTxOptions } from '@mcp-tx/core';
import type { Authenticate, HttpKernelOptions } from '@mcp-tx/core/http';

/** The HTTP API of a connection. */
export interface McpTxHttpOptions
  extends Omit<HttpKernelOptions<IncomingMessage>, 'client' | 'authenticate' | 'clock'> {
  /** Where it is mounted, from the root of the server: a global prefix is not put before it. Default `/mcp`. */
  readonly path?: string;
}

/** One connection: all options of `createMcpTx`, or an instance that you have made, and how it stands in the application. */
export type McpTxModuleOptions = ConnectionOptions & (McpTxOptions | ExistingInstance);

/** An instance of your own: a hub's server, or one that other code uses, too. Whoever made it closes it. */
export interface ExistingInstance {
  readonly client: McpTx;
}

/** How a connection stands in the application. */
export interface ConnectionOptions {
  /**
   * Who asks: of the HTTP API, and of every request in which a {@link McpTxService} is used. From verified authentication
   * only; or explicitly `'single-tenant'`: everybody is the instance's own scope, which is also what services take without it.
   * Required with `http`.
   */
  readonly authenticate?: Authenticate<IncomingMessage> | 'single-tenant';
  /** Mounts the HTTP API. Default: none. */
  readonly http?: McpTxHttpOptions;
  /** Connect while the application starts, which then fails if the server cannot be reached. Default `false`: at the first call. */
  readonly eager?: boolean;
  /** How long requests are still taken after the application was told to end, for load balancers to notice, ms. Default 0. */
  readonly beforeCloseMs?: number;
  /** How long calls under way may take to end then, ms. Default 15,000. */
  readonly graceMs?: number;
}

/** What must be known before options can be made. */
export interface McpTxModuleExtras {
  /** Name of the connection. Default: the default connection. */
  readonly connectionName?: string | undefined;
  /** Whether every module can inject it. Default `true`. */
  readonly isGlobal?: boolean;
  /** Answer errors of MCP-Tx with problem documents, application-wide. Default `false`. */
  readonly exceptionFilter?: boolean;
  /** Give every request its own scope, deadline and signal, application-wide. Default `true`. */
  readonly interceptor?: boolean;
}

/** What makes options, for `forRootAsync({ useClass })` and `useExisting`. */
export interface McpTxOptionsFactory {
  createMcpTxOptions(): McpTxModuleOptions | Promise<McpTxModuleOptions>;
}
