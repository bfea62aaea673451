/** Gives every HTTP request its own scope, deadline and signal, for whatever its handler calls. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { callerOf, goneSignal, preferencesOf, timeoutOf } from '@mcp-tx/core/http';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Observable, tap } from 'rxjs';
import type { ServedRequest } from './request-store.ts';
import { requestStore } from './request-store.ts';

/** Express hands out Node's own objects; Fastify puts them under `raw`. */
interface Wrapped<T> {
  readonly raw?: T;
}

/** Registered application-wide by `McpTxModule`, unless `interceptor: false`. Leaves everything but HTTP alone. */
export class McpTxInterceptor implements NestInterceptor {
  readonly #isEnding: () => boolean;

  /** `isEnding`: the application goes away, so that no connection is kept after its answer. */
  constructor(isEnding: () => boolean = () => false) {
    this.#isEnding = isEnding;
  }

  /** @throws HttpError `REQUEST_INVALID` for a `MCP-Tx-Timeout-Ms` that is none */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const served = requestStore.getStore();
    if (context.getType() !== 'http' || (served !== undefined && 'caller' in served)) return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<IncomingMessage & Wrapped<IncomingMessage>>();
    const response = http.getResponse<ServerResponse & Wrapped<ServerResponse>>();
    const raw = response.raw ?? response;
    const store = servedRequest(request.raw ?? request, raw);
    const leave = (): void => {
      if (this.#isEnding() && !raw.headersSent) raw.setHeader('connection', 'close');
    };
    const served$ = new Observable((subscriber) => requestStore.run(store, () => next.handle().subscribe(subscriber)));
    return served$.pipe(tap({ error: leave, complete: leave }));
  }
}

function servedRequest(request: IncomingMessage, response: ServerResponse): ServedRequest {
  const { method = 'GET', url: path = '/', headers } = request;
  return {
    caller: callerOf({ method, path, headers, host: request }),
    signal: goneSignal(response),
    timeoutMs: timeoutOf(headers, preferencesOf(headers), {}),
    bound: new Map(),
  };
}
