/** The producer's side: puts calls into the queue, and waits for their results where somebody wants them. */
import { randomUUID } from 'node:crypto';
import type { CallOutcome, McpTxResult } from '@mcp-tx/core';
import { isMcpTxError, McpTxError, systemClock } from '@mcp-tx/core';
import type { ToolJob, ToolJobOptions } from '@mcp-tx/core/job';
import { createToolJob } from '@mcp-tx/core/job';
import type { Session } from './link.ts';
import type { MessageFormat } from './message-format.ts';
import { FORMATS } from './message-format.ts';
import type { QueueOptions, Queues } from './queue-options.ts';
import { invalid, queuesOf } from './queue-options.ts';
import type { ReplyMode, ReplyPlace } from './reply-desk.ts';
import { ReplyDesk } from './reply-desk.ts';
import { readReplies } from './reply-reader.ts';
import { Sender } from './sender.ts';

/** Options of {@link createToolClient}. */
export interface ToolClientOptions extends QueueOptions {
  /** Where replies to `call` come in. Default `exclusive`; with the form of the Python original, which asks nobody, `shared`. */
  readonly replies?: ReplyMode;
}

/** What may be said of a job that is put into the queue. */
export interface EnqueueOptions extends ToolJobOptions {
  /** Its reply shall go into the queue `responses`, for `readReplies`. Default `false`: the ledger has its result, and nobody is told. */
  readonly reply?: boolean;
}

/** What may be said of a job whose result is waited for. */
export interface CallJobOptions extends ToolJobOptions {
  /** Longest wait; nothing is begun after it, ms. Default 60,000. */
  readonly timeoutMs?: number;
  /** Ends the wait. The job goes on. */
  readonly signal?: AbortSignal;
}

/** A job that is in the queue. */
export interface EnqueuedJob {
  readonly idempotencyKey: string;
  /** Names its reply. */
  readonly correlationId: string;
}

/** A reply from the queue `responses`. */
export type ToolReply = CallOutcome & { readonly correlationId: string };

/** Makes a client. It connects when it is first used. @throws McpTxError `CONFIG_INVALID` */
export function createToolClient(options: ToolClientOptions): ToolClient {
  return new ToolClient(options);
}

/** Puts calls into the queue. Made by {@link createToolClient}. */
export class ToolClient implements AsyncDisposable {
  readonly #queues: Queues;
  readonly #format: MessageFormat;
  readonly #sender: Sender;
  readonly #desk: ReplyDesk;
  #closing: Promise<void> | undefined;

  /** @internal Use {@link createToolClient}. */
  constructor(options: ToolClientOptions) {
    this.#queues = queuesOf(options);
    this.#format = FORMATS[this.#queues.format];
    const { replies = this.#format.repliesToAll ? 'shared' : 'exclusive' } = options;
    if (replies !== 'exclusive' && replies !== 'shared') throw invalid("replies must be 'exclusive' or 'shared'");
    this.#sender = new Sender(this.#queues, { side: 'client' });
    this.#desk = new ReplyDesk(this.#queues, replies);
  }

  /** Connects and declares the queues, so that a wrong configuration is noticed at start. @throws McpTxError `QUEUE_UNAVAILABLE`, `CONFIG_INVALID` */
  initialize(): Promise<void> {
    return this.#sender.ready(this.#queues.confirmTimeoutMs);
  }

  /**
   * Puts a call into the queue; resolves when the broker has it on its disk. While the broker is away it rejects at once.
   *
   * @throws McpTxError `CALL_INVALID`, `KEY_INVALID`, `ARGUMENTS_INVALID`; `QUEUE_UNAVAILABLE`, with `execution: 'unknown'` where the
   * broker may have it: repeat with the same key; `OVERLOADED`
   */
  async enqueue(
    tool: string,
    args?: Readonly<Record<string, unknown>>,
    { reply = false, ...options }: EnqueueOptions = {},
  ): Promise<EnqueuedJob> {
    const job = createToolJob(tool, args, options);
    const correlationId = this.#correlationIdOf(job);
    const replyTo = reply ? this.#queues.responses : undefined;
    await this.#send(job, correlationId, replyTo, this.#queues.confirmTimeoutMs);
    return { idempotencyKey: job.idempotencyKey, correlationId };
  }

  /**
   * Puts a call into the queue and waits for its result. When the connection is lost meanwhile, the same call is put there again
   * under the same key: it runs once.
   *
   * @throws McpTxError what the call itself would have thrown; `DEADLINE_EXCEEDED` or `ABORTED` with `execution: 'unknown'` where no
   * reply came: repeat with the same key to get it
   */
  async call(
    tool: string,
    args?: Readonly<Record<string, unknown>>,
    { timeoutMs = 60_000, signal, ...options }: CallJobOptions = {},
  ): Promise<McpTxResult> {
    const startedAt = systemClock.monotonic();
    const deadlineAt = Math.min(Number(options.deadlineAt ?? Number.POSITIVE_INFINITY), systemClock.now() + timeoutMs);
    const job = createToolJob(tool, args, { ...options, deadlineAt });
    const ended = AbortSignal.any([
      AbortSignal.timeout(Math.ceil(timeoutMs)),
      ...(signal === undefined ? [] : [signal]),
    ]);
    const content = await this.#exchange(job, ended, startedAt + timeoutMs);
    const { result, meta } = this.#format.readReply(content);
    return { result, meta: { ...meta, durationMs: systemClock.monotonic() - startedAt } };
  }

  /**
   * Reads the replies of jobs that were put there with `reply: true`. One is done with when `handler` has resolved, and comes again
   * when it rejects. The returned function ends that. Not together with `replies: 'shared'`, which reads the same queue.
   */
  readReplies(handler: (reply: ToolReply) => void | Promise<void>): Promise<() => Promise<void>> {
    return readReplies(this.#queues, (correlationId, content) => handler({ correlationId, ...this.#outcome(content) }));
  }

  /** Ends the connections; calls that wait are told. */
  close(): Promise<void> {
    this.#closing ??= Promise.all([this.#sender.close(), this.#desk.close()]).then(() => undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Puts the job there, anew whenever the place for its reply has gone, until there is one. */
  async #exchange(job: ToolJob, ended: AbortSignal, giveUpAt: number): Promise<Buffer> {
    const correlationId = this.#correlationIdOf(job);
    const reply = Promise.withResolvers<Buffer>();
    const stopListening = this.#desk.listen(correlationId, reply.resolve);
    try {
      for (let isFirst = true; ; isFirst = false) {
        const place = await this.#ask(job, correlationId, giveUpAt, !isFirst).catch((error: unknown) => {
          throw isFirst ? error : this.#noReply(ended, error);
        });
        const heard = await untilAborted(reply.promise, [ended, place.lost]);
        if (heard !== 'aborted') return heard;
        if (ended.aborted || this.#closing !== undefined) throw this.#noReply(ended);
      }
    } finally {
      stopListening();
    }
  }

  /** Puts the job there, with the place for its reply. */
  async #ask(job: ToolJob, correlationId: string, giveUpAt: number, patient: boolean): Promise<Session<ReplyPlace>> {
    const leftMs = (): number => Math.max(0, giveUpAt - systemClock.monotonic());
    const place = await this.#desk.ready(leftMs(), patient);
    await this.#send(job, correlationId, place.parts.queue, leftMs(), patient);
    return place;
  }

  async #send(
    job: ToolJob,
    correlationId: string,
    replyTo: string | undefined,
    timeoutMs: number,
    patient: boolean = false,
  ): Promise<void> {
    const properties = { messageId: correlationId, correlationId, ...(replyTo === undefined ? {} : { replyTo }) };
    const queue = this.#queues.requests;
    const content = Buffer.from(this.#format.writeJob(job));
    const said = await this.#sender.send({ queue, content, properties }, { timeoutMs, patient });
    if (said === 'refused') throw new McpTxError('OVERLOADED', `the queue ${queue} takes no more messages`);
    if (said === 'unroutable') {
      this.#sender.renew(); // which declares it again
      throw new McpTxError('QUEUE_UNAVAILABLE', `there is no queue ${queue} any more`, { reason: 'unroutable' });
    }
  }

  /** The Python original knows a reply by the key; for others each job has a name of its own. */
  #correlationIdOf({ idempotencyKey }: ToolJob): string {
    if (!this.#format.repliesToAll) return randomUUID();
    if (Buffer.byteLength(idempotencyKey) <= 255) return idempotencyKey;
    throw new McpTxError(
      'KEY_INVALID',
      'the idempotency key has more than 255 bytes, which a correlation id cannot have',
    );
  }

  #noReply(ended: AbortSignal, cause?: unknown): McpTxError {
    const details = { execution: 'unknown', retryable: true, reason: 'no-reply', cause } as const;
    const says = 'no reply came; the job may run, or have run. Repeat with the same key to get its result';
    if (this.#closing !== undefined) return new McpTxError('CLOSED', says, details);
    if (!ended.aborted) return new McpTxError('QUEUE_UNAVAILABLE', says, details);
    const isLate = ended.reason instanceof Error && ended.reason.name === 'TimeoutError';
    return new McpTxError(isLate ? 'DEADLINE_EXCEEDED' : 'ABORTED', says, details);
  }

  #outcome(content: Buffer): CallOutcome {
    try {
      return { ok: true, ...this.#format.readReply(content) };
    } catch (error) {
      if (isMcpTxError(error)) return { ok: false, error };
      throw error;
    }
  }
}

/** Waits for a promise, or for one of the signals; leaves no listener on them. */
function untilAborted<T>(promise: Promise<T>, signals: readonly AbortSignal[]): Promise<T | 'aborted'> {
  const signal = Promise.withResolvers<'aborted'>();
  const onAbort = (): void => signal.resolve('aborted');
  for (const one of signals) {
    if (one.aborted) onAbort();
    one.addEventListener('abort', onAbort, { once: true });
  }
  return Promise.race([promise, signal.promise]).finally(() => {
    for (const one of signals) one.removeEventListener('abort', onAbort);
  });
}
