/** What a user says of a ledger on Redis, with every default, and the check that names a wrong field. */
import type { Clock, Durability } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Cluster } from 'ioredis';
import { Redis } from 'ioredis';

/** A client of the user's: of one server, or of a cluster. */
export type RedisClient = Redis | Cluster;

/** Options of `redisLedger`: `client` or `url`, and nothing else is required. */
export interface RedisLedgerOptions {
  /** A client of ioredis of your own. It stays yours and is never ended here. */
  readonly client?: RedisClient;
  /** Where the server is, `redis://…` or `rediss://…`, in place of a client. */
  readonly url?: string;
  /** What all keys begin with, in braces: a cluster keeps all of a ledger on one node. Default `mcp-tx`. */
  readonly prefix?: string;
  /**
   * What the server promises; checked at the first use and whenever the server has started anew. `fsync`: `appendonly yes` and
   * `appendfsync always`. `async`: `appendonly yes`. Default `fsync`.
   */
  readonly durability?: Durability;
  /** Longest wait for an answer, connecting included, ms. Default 5,000. */
  readonly timeoutMs?: number;
  /** For tests. Default: the server's own clock, which all processes share. */
  readonly clock?: Pick<Clock, 'now'>;
}

/** The same, complete. */
export interface OpenRedisLedger {
  readonly client: RedisClient;
  /** Whether the client was made here, and is ended here. */
  readonly isOwn: boolean;
  readonly prefix: string;
  readonly durability: Durability;
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, 'now'> | undefined;
}

const DURABILITIES: readonly string[] = ['process', 'async', 'fsync'];
const LONGEST_PAUSE_MS = 500;

/** @throws McpTxError `CONFIG_INVALID` */
export function openWith(options: RedisLedgerOptions): OpenRedisLedger {
  const { client, url, prefix = 'mcp-tx', durability = 'fsync', timeoutMs = 5_000, clock } = options;
  if ((client === undefined) === (url === undefined)) throw invalid('give either client or url');
  if (!/^[\w.:-]{1,100}$/.test(prefix)) throw invalid('prefix must be 1 to 100 of A-Z, a-z, 0-9, _ . : -');
  if (!DURABILITIES.includes(durability)) throw invalid("durability must be 'fsync', 'async' or 'process'");
  if (!(timeoutMs > 0 && timeoutMs < 2 ** 31)) throw invalid('timeoutMs must be more than 0');
  if (url !== undefined && !/^rediss?:\/\//.test(url)) throw invalid('url must begin with redis:// or rediss://');
  return { client: client ?? connect(url ?? ''), isOwn: client === undefined, prefix, durability, timeoutMs, clock };
}

/** Nothing is asked of the server before the first use, and nothing that was lost with a connection is sent by itself. */
function connect(url: string): Redis {
  const client = new Redis(url, {
    lazyConnect: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * 50, LONGEST_PAUSE_MS),
  });
  client.on('error', () => undefined); // each call says it for itself
  return client;
}

function invalid(what: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `redisLedger: ${what}`);
}
