/** Decides in which queue a job waits: RabbitMQ delays nothing by itself, so each delay is a queue whose messages expire. */
import { invalid } from './queue-options.ts';

/** Doubling: so fine that jobs which failed together come back spread, so coarse that it is nine queues. */
const DELAYS_MS: readonly number[] = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000];

/** The delays, shortest first. @throws McpTxError `CONFIG_INVALID` */
export function ladderOf(delaysMs: readonly number[] = DELAYS_MS): readonly number[] {
  const isDelay = (ms: number): boolean => Number.isInteger(ms) && ms > 0 && ms <= 86_400_000;
  if (delaysMs.length === 0 || !delaysMs.every(isDelay))
    throw invalid('retryDelaysMs must be whole numbers from 1 to 86,400,000');
  return [...new Set(delaysMs)].sort((a, b) => a - b);
}

/** The shortest delay that is not shorter than `waitMs`, or the longest: what comes too early from there is put back once more. */
export function rungFor(delaysMs: readonly number[], waitMs: number): number {
  return delaysMs.find((delayMs) => delayMs >= waitMs) ?? (delaysMs.at(-1) as number);
}

/** Name of the queue that jobs come back to: behind all that are new in the other one, each return would take as long as those do. */
export function againName(requests: string): string {
  return `${requests}.again`;
}

/** Name of the queue of a delay. */
export function rungName(requests: string, delayMs: number): string {
  return `${requests}.retry.${delayMs}`;
}
