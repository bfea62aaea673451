/** What a user says of a connection in `forRoot` and `forRootAsync`. */
import type { IncomingMessage } from 'node:http';
import type { McpTxOptions } from '@mcp-tx/core';
import type { Authenticate, HttpKernelOptions } from '@mcp-tx/core/http';

/** The HTTP API of a connection. */
export interface McpTxHttpOptions
  extends Omit<HttpKernelOptions<IncomingMessage>, 'client' | 'authenticate' | 'clock'> {
  /** Where it is mounted, from the root of the server: a global prefix is not put before it. Default `/mcp`. */
  readonly path?: string;
}

/** One connection: all options of `createMcpTx`, and how it stands in the application. */
export interface McpTxModuleOptions extends McpTxOptions {
  /**
   * Who asks: of the HTTP API, and of every request in which a {@link McpTxService} is used. From verified authentication
   * only. Default `'single-tenant'`: everybody is the instance's own scope.
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
