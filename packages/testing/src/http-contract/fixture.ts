/** What an HTTP host brings along to be put through the contract, and the form of a case. */
import type { HttpKernelOptions } from '@mcp-tx/core/http';
import type { FaultyHttpOptions, FaultyHttpServer } from '../faulty-server/launch-http.ts';
import type { Reply, Sent } from './send.ts';

/**
 * What a case needs of a host. `raw-body`: it hands on bodies as they came. `stream`: it writes answers piece by piece.
 * `disconnect`: it notices that a client has gone. `socket`: its own HTTP parser meets the clients. `drain`: `close()` waits for
 * calls under way.
 */
export type HttpNeed = 'raw-body' | 'stream' | 'disconnect' | 'socket' | 'drain';

/** How a host is to be set up for a case. Plain JSON, so that a host in another process can be told by an argument. */
export interface HttpHostProfile {
  /** URL of the MCP server. */
  readonly upstream: string;
  /** Name of the server. */
  readonly name: string;
  /** `tokens`: `Bearer of-alice` and `Bearer of-bob` are two principals. `missing`: the option is left out. */
  readonly authenticate: 'tokens' | 'single-tenant' | 'missing';
  readonly timeoutMs: number;
  readonly settleGraceMs: number;
  readonly tools: readonly string[] | '*';
  readonly limits?: HttpKernelOptions['limits'];
  readonly deadline?: HttpKernelOptions['deadline'];
  readonly rate?: HttpKernelOptions['rate'];
  readonly openapi?: boolean;
}

/** A host that listens. */
export interface RunningHost {
  /** Where the API is mounted, without a slash at the end: `http://127.0.0.1:1234/mcp`. */
  readonly url: string;
  /** Ends the host, after the calls under way where it can drain. */
  close(): Promise<void>;
}

/** A kind of host. */
export interface HttpHostFixture {
  readonly can: readonly HttpNeed[];
  /** Starts a host that is set up by `httpHostOptions(profile)`. Rejects when the host refuses these options. */
  start(profile: HttpHostProfile): Promise<RunningHost>;
}

/** Everything that a case may use. */
export interface HttpWorld {
  readonly url: string;
  /** The MCP server behind the host: it says what really happened. */
  readonly server: FaultyHttpServer;
  /** Sends a request to a path below the mount. */
  send(path: string, request?: Sent): Promise<Reply>;
  /** Sends a call of a tool, by `alice` unless said. */
  execute(tool: string, args: unknown, request?: Sent): Promise<Reply>;
  /** Calls that reached the server. */
  arrivals(): number;
  /** How often an order was paid. */
  paid(orderId: string): number;
  /** Ends the host before the case does. */
  close(): Promise<void>;
}

/** One statement about every host. Runs under any test runner: it throws when the statement is false. */
export interface HttpCase {
  readonly id: `http:${string}`;
  readonly title: string;
  readonly needs: readonly HttpNeed[];
  /** Row of the attack list that this is. */
  readonly attack?: number;
  readonly server?: Pick<FaultyHttpOptions, 'script' | 'mode'>;
  readonly profile?: Partial<HttpHostProfile>;
  /** The host must refuse to start: `run` is not called. */
  readonly refused?: RegExp;
  readonly run: (world: HttpWorld) => Promise<void>;
}
