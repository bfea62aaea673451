/** What a client and its workers have to agree on: the names of the queues, how they are declared, the form of messages. */
import { McpTxError } from '@mcp-tx/core';
import type { Options, SocketOptions } from 'amqplib';
import type { FormatName } from './message-format.ts';
import { FORMATS } from './message-format.ts';

/** Where the broker is, and which queues are used. A client and its workers are given the same. */
export interface QueueOptions {
  /** `amqp://…` or `amqps://…`, or the parts of it. */
  readonly url: string | Options.Connect;
  /** For the socket: certificates and the like. It never waits to fill a packet (`noDelay`). */
  readonly socket?: SocketOptions;
  /** Queue of jobs. Default `mcp_tx_requests`. */
  readonly requests?: string;
  /** Queue that several clients share for replies. Default `mcp_tx_responses`. */
  readonly responses?: string;
  /** Queue of jobs that are put aside, with the reason in their headers. Default: `requests` and `.dead`. */
  readonly dead?: string;
  /** `quorum`: replicated, and a job that ends its workers is put aside. `classic`: a durable queue without arguments. Default `quorum`. */
  readonly queueType?: 'quorum' | 'classic';
  /** A quorum queue puts a job aside that came back so often without an answer of its worker. Default 20. */
  readonly deliveryLimit?: number;
  /** `false`: queues are never declared, only looked for. Default `true`. */
  readonly declare?: boolean;
  /** Form of the messages: our own, or that of the Python original. Default `mcp-tx`. */
  readonly format?: FormatName;
  /** Longest wait for the broker: for a connection, and for its word that it has a message, ms. Default 10,000. */
  readonly confirmTimeoutMs?: number;
  /** Hears of connections that were lost or could not be made. They are made again by themselves. */
  readonly onError?: (error: Error) => void;
}

/** The same, complete. */
export type Queues = Required<Omit<QueueOptions, 'socket'>> & Pick<QueueOptions, 'socket'>;

/** The queues and messages of the Python original: give its members to a client and a worker that talk to one of it. */
export const PYTHON_ORIGINAL: Required<Pick<QueueOptions, 'requests' | 'responses' | 'queueType' | 'format'>> = {
  requests: 'rmcp_requests',
  responses: 'rmcp_responses',
  queueType: 'classic',
  format: 'python',
};

const MAX_NAME_BYTES = 200; // of 255: the names of the queues for retries are longer

/** @throws McpTxError `CONFIG_INVALID`, naming the option */
export function queuesOf(options: QueueOptions): Queues {
  const { url, requests = 'mcp_tx_requests', deliveryLimit = 20, confirmTimeoutMs = 10_000 } = options;
  const queues: Queues = {
    ...options,
    requests,
    responses: options.responses ?? 'mcp_tx_responses',
    dead: options.dead ?? `${requests}.dead`,
    queueType: options.queueType ?? 'quorum',
    deliveryLimit,
    declare: options.declare ?? true,
    format: options.format ?? 'mcp-tx',
    confirmTimeoutMs,
    onError: options.onError ?? (() => undefined),
  };
  if (typeof url === 'string' ? !/^amqps?:\/\//.test(url) : typeof url !== 'object' || url === null)
    throw invalid('url must begin with amqp:// or amqps://');
  for (const name of [queues.requests, queues.responses, queues.dead]) checkName(name);
  if (new Set([queues.requests, queues.responses, queues.dead]).size < 3)
    throw invalid('requests, responses and dead must be three queues');
  if (!['quorum', 'classic'].includes(queues.queueType)) throw invalid("queueType must be 'quorum' or 'classic'");
  if (!Object.hasOwn(FORMATS, queues.format)) throw invalid("format must be 'mcp-tx' or 'python'");
  if (!(Number.isInteger(deliveryLimit) && deliveryLimit > 0)) throw invalid('deliveryLimit must be 1 or more');
  if (!(confirmTimeoutMs > 0 && confirmTimeoutMs < 2 ** 31)) throw invalid('confirmTimeoutMs must be more than 0');
  return queues;
}

function checkName(name: string): void {
  if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw invalid(`the name of a queue must have 1 to ${MAX_NAME_BYTES} bytes`);
  if (name.startsWith('amq.')) throw invalid('names that begin with amq. are the broker’s own');
}

/** An option that is wrong. */
export function invalid(what: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `rabbitmq: ${what}`);
}
