/** Bounds how long a producer waits for its queue, and says what is known when it waited too long. */
import { isMcpTxError, McpTxError } from '@mcp-tx/core';

/** @throws McpTxError `QUEUE_UNAVAILABLE`; `execution` is `unknown` where the job may have got there */
export async function inTime<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unconfirmed(`the queue did not answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    throw isMcpTxError(error) ? error : toQueueError(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Nothing was sent where the client had no connection to send on. */
function toQueueError(cause: unknown): McpTxError {
  const says = cause instanceof Error ? cause.message : String(cause);
  const isUnsent = /isn't writeable|ECONNREFUSED|ENOTFOUND/.test(says);
  if (!isUnsent) return unconfirmed(says, cause);
  return new McpTxError('QUEUE_UNAVAILABLE', `the queue cannot be reached: ${says}`, { cause });
}

function unconfirmed(says: string, cause?: unknown): McpTxError {
  const details = { execution: 'unknown', ...(cause === undefined ? {} : { cause }) } as const;
  return new McpTxError('QUEUE_UNAVAILABLE', `the job was not confirmed: ${says}`, details);
}
