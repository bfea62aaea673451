/** Takes one message to its end: runs its job, sends on what has to be sent, and only then says what to tell the broker of it. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '@mcp-tx/core';
import type { JobEnd, JobOptions, JobProblem, JobReply, ToolJob } from '@mcp-tx/core/job';
import { problemOf, refuseJob, replyOf } from '@mcp-tx/core/job';
import type { ConsumeMessage, Options } from 'amqplib';
import { FORMATS } from './message-format.ts';
import { deadHeaders, travelOf, waitingHeaders } from './message-headers.ts';
import type { OutgoingMessage } from './publisher.ts';
import type { Queues } from './queue-options.ts';
import { rungFor, rungName } from './retry-ladder.ts';

/** What to tell the broker: it is done with, it goes back, or nothing any more. */
export type Verdict = 'ack' | 'requeue' | 'leave';

/** What a delivery may use. */
export interface DeliveryKit {
  readonly queues: Queues;
  readonly retryDelaysMs: readonly number[];
  readonly replyTtlMs: number;
  run(job: ToolJob, options: Pick<JobOptions, 'signal' | 'returns'>): Promise<JobEnd>;
  onEnd(end: JobEnd, job: ToolJob | undefined): void;
  /** Publishes until the broker has it. `unroutable` only for a queue that is not ours. `lost`: the delivery was, meanwhile. */
  send(message: OutgoingMessage, lost: AbortSignal): Promise<'confirmed' | 'unroutable' | 'lost'>;
}

/** What ends a run early. */
export interface DeliverySignals {
  /** The connection is lost: the broker gives the message to somebody else. */
  readonly lost: AbortSignal;
  /** Either that, or the worker ends. */
  readonly stop: AbortSignal;
}

/** Too early by so little is early enough, ms: clocks differ. */
const EARLY_MS = 20;

/** Takes a message to its end. */
export async function deliver(message: ConsumeMessage, kit: DeliveryKit, signals: DeliverySignals): Promise<Verdict> {
  const travel = travelOf(message);
  const now = systemClock.now();
  if (travel.notBefore > now + EARLY_MS) return wait(message, travel, kit, signals.lost);
  const { job, end } = await run(message, kit, travel.returns, signals.stop);
  if (signals.lost.aborted) return 'leave';
  kit.onEnd(end, job);
  if (end.kind === 'retryLater') {
    if (signals.stop.aborted) return 'requeue';
    return wait(message, { returns: travel.returns + 1, notBefore: end.retryAt }, kit, signals.lost);
  }
  const problem = end.kind === 'deadLetter' ? problemOf(end.error) : undefined;
  if (problem !== undefined && (await park(message, problem, kit, signals.lost)) === 'leave') return 'leave';
  const said =
    end.kind === 'acknowledge' ? replyOf(end) : ({ v: 1, ok: false, problem: problemOf(end.error) } as const);
  return reply(message, job, said, kit, signals.lost);
}

async function run(
  message: ConsumeMessage,
  kit: DeliveryKit,
  returns: number,
  signal: AbortSignal,
): Promise<{ readonly job: ToolJob | undefined; readonly end: JobEnd }> {
  const { requests, format } = kit.queues;
  const { messageId } = message.properties;
  const fallbackKey = typeof messageId === 'string' ? `rabbitmq:${requests}:${messageId}` : undefined;
  let job: ToolJob;
  try {
    job = FORMATS[format].readJob(message.content, fallbackKey);
  } catch (error) {
    return { job: undefined, end: refuseJob(error) };
  }
  return { job, end: await kit.run(job, { signal, returns }) };
}

/** Puts it where it waits for its next run. */
async function wait(
  message: ConsumeMessage,
  travel: { readonly returns: number; readonly notBefore: number },
  kit: DeliveryKit,
  lost: AbortSignal,
): Promise<Verdict> {
  const delayMs = rungFor(kit.retryDelaysMs, travel.notBefore - systemClock.now());
  const { replyTo } = message.properties;
  const properties = { ...namesOf(message), ...(typeof replyTo === 'string' ? { replyTo } : {}) };
  const headers = waitingHeaders(message, travel);
  return verdictOf(
    await sendOn(rungName(kit.queues.requests, delayMs), message, { ...properties, headers }, kit, lost),
  );
}

/** Puts it aside, with the reason. */
async function park(
  message: ConsumeMessage,
  problem: JobProblem,
  kit: DeliveryKit,
  lost: AbortSignal,
): Promise<Verdict> {
  const headers = deadHeaders(message, problem);
  return verdictOf(await sendOn(kit.queues.dead, message, { ...namesOf(message), headers }, kit, lost));
}

/** Tells whoever wants to know. A reply that nobody can get is a reason to put the job aside. */
async function reply(
  message: ConsumeMessage,
  job: ToolJob | undefined,
  said: JobReply,
  kit: DeliveryKit,
  lost: AbortSignal,
): Promise<Verdict> {
  const format = FORMATS[kit.queues.format];
  const { replyTo, correlationId, messageId } = message.properties;
  const queue = typeof replyTo === 'string' ? replyTo : format.repliesToAll ? kit.queues.responses : undefined;
  if (queue === undefined) return 'ack';
  const named = correlationId ?? (format.repliesToAll ? job?.idempotencyKey : messageId);
  const name: { correlationId?: string } = typeof named === 'string' ? { correlationId: named } : {};
  const content = Buffer.from(format.writeReply(said, name.correlationId ?? ''));
  const properties = { messageId: randomUUID(), expiration: kit.replyTtlMs, ...name };
  const sent = await kit.send({ queue, content, properties }, lost);
  if (sent !== 'unroutable' || !said.ok) return verdictOf(sent);
  const { execution = 'done', operationId, attempts } = said.meta;
  const why = `its reply could not be delivered: there is no queue ${queue}. The ledger has its result; the same key gets it`;
  const details = { execution, operationId, attempts, retryable: true, reason: 'reply-unroutable' };
  return park(message, { code: 'CALL_INVALID', message: why, ...details }, kit, lost);
}

/** As it came; without the headers of others where they are too long to be written once more. */
async function sendOn(
  queue: string,
  { content }: ConsumeMessage,
  properties: Options.Publish & { readonly messageId: string },
  kit: DeliveryKit,
  lost: AbortSignal,
): Promise<'confirmed' | 'unroutable' | 'lost'> {
  try {
    return await kit.send({ queue, content, properties }, lost);
  } catch {
    const own = Object.entries(properties.headers as object).filter(([name]) => name.startsWith('x-mcp-tx-'));
    return kit.send({ queue, content, properties: { ...properties, headers: Object.fromEntries(own) } }, lost);
  }
}

function namesOf({ properties: { messageId, correlationId } }: ConsumeMessage): {
  readonly messageId: string;
  readonly correlationId?: string;
} {
  const name = typeof correlationId === 'string' ? { correlationId } : {};
  return { messageId: typeof messageId === 'string' ? messageId : randomUUID(), ...name };
}

function verdictOf(sent: 'confirmed' | 'unroutable' | 'lost'): Verdict {
  return sent === 'lost' ? 'leave' : 'ack';
}
