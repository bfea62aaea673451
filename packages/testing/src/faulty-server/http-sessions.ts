/** Owns the sessions of the faulty HTTP server: the SDK's transport for each, and which of them are known to it still. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import type { CallDesk } from './call-desk.ts';
import { sendRpcError } from './http-replies.ts';
import { createMcpServer } from './mcp-server.ts';

/** Sessions by id. */
export class HttpSessions {
  readonly #desk: CallDesk;
  readonly #json: boolean;
  readonly #known = new Map<string, StreamableHTTPServerTransport>();
  readonly #forgotten: StreamableHTTPServerTransport[] = [];
  #staleRequests = 0;

  constructor(desk: CallDesk, json: boolean) {
    this.#desk = desk;
    this.#json = json;
  }

  /** How many sessions are known. */
  get size(): number {
    return this.#known.size;
  }

  /** How many requests came for sessions that are not known any more. */
  get staleRequests(): number {
    return this.#staleRequests;
  }

  /** Whether the request belongs to a known session. */
  knows(request: IncomingMessage): boolean {
    return this.#known.has(idOf(request) ?? '');
  }

  /** Forgets one session, or all. Streams that are open stay so, as they do behind a load balancer. */
  forget(id?: string): void {
    for (const [known, transport] of this.#known) {
      if (id !== undefined && id !== known) continue;
      this.#known.delete(known);
      this.#forgotten.push(transport);
    }
  }

  /** Lets the SDK answer; what it would never see, for want of a session, is answered as it answers it. */
  async handle(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
    const id = idOf(request);
    if (id === undefined && !isInitializeRequest(body)) {
      sendRpcError(response, 400, -32000, 'Bad Request: Mcp-Session-Id header is required');
    } else if (id !== undefined && !this.#known.has(id)) {
      this.#staleRequests += 1;
      sendRpcError(response, 404, -32001, 'Session not found');
    } else {
      const transport = (id === undefined ? undefined : this.#known.get(id)) ?? (await this.#open());
      await transport.handleRequest(request, response, body);
    }
  }

  async close(): Promise<void> {
    this.forget();
    await Promise.all(this.#forgotten.splice(0).map((transport) => transport.close()));
  }

  async #open(): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: this.#json,
      onsessioninitialized: (id) => void this.#known.set(id, transport),
      onsessionclosed: (id) => this.forget(id),
    });
    // The SDK's own classes do not agree with each other under exactOptionalPropertyTypes.
    await createMcpServer(this.#desk).connect(transport as never);
    return transport;
  }
}

/** The session a request names. */
export function idOf({ headers }: IncomingMessage): string | undefined {
  return headers['mcp-session-id'] as string | undefined;
}
