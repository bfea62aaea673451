/** Answers errors of MCP-Tx with the problem documents that the HTTP API answers with. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isMcpTxError } from '@mcp-tx/core';
import { isHttpError, problemResponse } from '@mcp-tx/core/http';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { Catch } from '@nestjs/common';

interface Wrapped<T> {
  readonly raw?: T;
}

/** What the filter catches: told by the brand, so that errors of another copy of core are caught, too. */
// biome-ignore lint/complexity/noStaticOnlyClass: Nest chooses filters by instanceof, so this has to be a class
abstract class OfMcpTx {
  static [Symbol.hasInstance](value: unknown): boolean {
    return isMcpTxError(value) || isHttpError(value);
  }
}

/** Registered application-wide by `exceptionFilter: true`, or where you like with `@UseFilters(McpTxExceptionFilter)`. */
export class McpTxExceptionFilter implements ExceptionFilter {
  /** @throws the error itself, outside of HTTP */
  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const http = host.switchToHttp();
    const response = http.getResponse<ServerResponse & Wrapped<ServerResponse> & { hijack?(): void }>();
    const request = http.getRequest<IncomingMessage & Wrapped<IncomingMessage>>();
    const answer = problemResponse(error, { now: Date.now() });
    response.hijack?.(); // Fastify: this answer is ours
    const raw = response.raw ?? response;
    if (raw.headersSent) return void raw.destroy();
    raw.statusCode = answer.status;
    for (const [name, value] of Object.entries(answer.headers)) raw.setHeader(name, value);
    raw.end(request.method === 'HEAD' ? undefined : answer.body);
  }
}

Catch(OfMcpTx)(McpTxExceptionFilter);
