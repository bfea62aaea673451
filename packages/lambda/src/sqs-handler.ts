/** A handler for batches of SQS: each record is a job, and only those that have to come again are named. */
import type { ClientSource, JobEnd, JobOptions, ToolJob } from '@mcp-tx/core/job';
import { lazyClient, readToolJob, refuseJob, runJob } from '@mcp-tx/core/job';
import type { LambdaContext } from './events.ts';

/** A message, as far as it is read here. */
export interface SqsRecord {
  readonly messageId: string;
  readonly body: string;
  readonly eventSourceARN: string;
}

/** A batch. */
export interface SqsEvent {
  readonly Records: readonly SqsRecord[];
}

/** Which messages come again. The event source mapping must have `ReportBatchItemFailures`. */
export interface SqsBatchResult {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** Options of {@link createSqsHandler}. */
export interface SqsHandlerOptions extends Pick<JobOptions, 'tools' | 'scope'> {
  readonly client: ClientSource;
  /** Jobs under way at once; those of a FIFO queue run one after the other. Default 4. */
  readonly concurrency?: number;
  /** Kept back from the remaining time, ms. Default 500. */
  readonly marginMs?: number;
  /** An instance idle for longer gives a sign of life first, ms. Default 30,000. */
  readonly checkIfIdleMs?: number;
  /** Reads a record. Default: the body is a `ToolJob` as JSON; without a key of its own it is named after the queue and the message. */
  readonly parse?: (record: SqsRecord) => ToolJob;
  /** Hears how each job ended. */
  readonly onEnd?: (record: SqsRecord, end: JobEnd) => void;
}

/** A handler of Lambda's. */
export type SqsHandler = (event: SqsEvent, context: LambdaContext) => Promise<SqsBatchResult>;

/** Less than this is too little to begin a job, ms. */
const LEAST_MS = 50;

/**
 * Makes a handler. What cannot be known is a failure of its record, too: it comes again, the ledger says that it is in doubt, nothing
 * is sent, and in the end the queue's own redrive policy puts it aside.
 */
export function createSqsHandler(options: SqsHandlerOptions): SqsHandler {
  const { client: source, checkIfIdleMs = 30_000, concurrency = 4 } = options;
  const client = typeof source === 'function' ? lazyClient(source, { checkIfIdleMs }) : source;
  return async ({ Records: records }, context) => {
    const run = (record: SqsRecord): Promise<boolean> => runRecord(record, context, client, options);
    const isFifo = records.some(({ eventSourceARN }) => eventSourceARN.endsWith('.fifo'));
    const failed = isFifo ? await inOrder(records, run) : await atOnce(records, concurrency, run);
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

/** Whether the record is done with. */
async function runRecord(
  record: SqsRecord,
  context: LambdaContext,
  client: ClientSource,
  { tools, scope, marginMs = 500, parse = toJob, onEnd }: SqsHandlerOptions,
): Promise<boolean> {
  const timeoutMs = context.getRemainingTimeInMillis() - marginMs;
  if (timeoutMs < LEAST_MS) return false; // not begun: it comes again as it was
  let end: JobEnd;
  try {
    const job = parse(record);
    end = await runJob(client, job, { tools, timeoutMs, ...(scope === undefined ? {} : { scope }) });
  } catch (error) {
    end = refuseJob(error);
  }
  onEnd?.(record, end);
  return end.kind === 'acknowledge';
}

function toJob({ body, messageId, eventSourceARN }: SqsRecord): ToolJob {
  return readToolJob(body, { fallbackKey: `sqs:${eventSourceARN}:${messageId}` });
}

/** Ends with the first failure: what comes after it must not overtake it. Gives it and all after it. */
async function inOrder(
  records: readonly SqsRecord[],
  run: (record: SqsRecord) => Promise<boolean>,
): Promise<readonly SqsRecord[]> {
  for (const [place, record] of records.entries()) {
    if (!(await run(record))) return records.slice(place);
  }
  return [];
}

async function atOnce(
  records: readonly SqsRecord[],
  concurrency: number,
  run: (record: SqsRecord) => Promise<boolean>,
): Promise<readonly SqsRecord[]> {
  const failed = new Set<SqsRecord>();
  const waiting = [...records];
  const worker = async (): Promise<void> => {
    for (let record = waiting.shift(); record !== undefined; record = waiting.shift()) {
      if (!(await run(record))) failed.add(record);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return records.filter((record) => failed.has(record));
}
