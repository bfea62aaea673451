/** Mounts a connection's HTTP API before everything else of the application, so that it reads bodies as they came. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { McpTx } from '@mcp-tx/core';
import type { HttpKernel } from '@mcp-tx/core/http';
import { createHttpKernel, createNodeHandler } from '@mcp-tx/core/http';
import type { HttpAdapterHost } from '@nestjs/core';
import type { McpTxModuleOptions } from './module-options.ts';

/** The kernel refuses a missing one: nobody shall be let in by an option that was forgotten. */
type Authentication = NonNullable<McpTxModuleOptions['authenticate']>;
type Seen = IncomingMessage & { readonly originalUrl?: string };

/**
 * Mounts the API on whichever adapter the application has, now or as soon as it has one. `undefined` where none is wanted.
 *
 * Middleware of both adapters sees Node's request before its body is parsed, if it is there before the application is
 * initialised: so a malformed body is answered by the kernel, and the same way on both.
 *
 * @throws McpTxError `CONFIG_INVALID`
 */
export function mountHttpApi(
  client: McpTx,
  { http, authenticate }: McpTxModuleOptions,
  host: HttpAdapterHost,
): HttpKernel<IncomingMessage> | undefined {
  if (http === undefined) return undefined;
  const { path = '/mcp', ...options } = http;
  const kernel = createHttpKernel<IncomingMessage>({
    ...options,
    client,
    authenticate: authenticate as Authentication,
  });
  const mount = `/${path.replace(/^\/+|\/+$/g, '')}`;
  const handle = createNodeHandler<IncomingMessage>(kernel, { mount });
  const middleware = (request: Seen, response: ServerResponse, next: () => void): void => {
    const pathname = (request.originalUrl ?? request.url ?? '').split('?', 1)[0] as string;
    if (pathname === mount || pathname.startsWith(`${mount}/`)) void handle(request, response);
    else next();
  };
  // A testing module has its adapter later than its providers.
  if (host.httpAdapter) host.httpAdapter.use(middleware);
  else host.init$.subscribe(() => host.httpAdapter.use(middleware));
  return kernel;
}
