/** Lends an abort source, as an `AbortSignal`, to work that may end long before the source does. */
import type { AbortSource } from '../runtime/abort-source.ts';

/** Runs `work`; once it has ended, no listener of it is left with the source. */
export async function withSignal<T>(source: AbortSource, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (source instanceof AbortSignal) return work(source);
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (source.aborted) abort();
  else source.addEventListener('abort', abort, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    source.removeEventListener('abort', abort);
  }
}
