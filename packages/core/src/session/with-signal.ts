/** Lends an abort source, as an `AbortSignal`, to work that may end long before the source does. */
import type { AbortSource } from '../runtime/abort-source.ts';
import { toAbortSignal } from '../runtime/abort-source.ts';

/** Runs `work`; once it has ended, no listener of it is left with the source. */
export async function withSignal<T>(source: AbortSource, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const leave: (() => void)[] = [];
  const lent: AbortSource = {
    aborted: source.aborted,
    addEventListener(type, listener, options) {
      source.addEventListener(type, listener, options);
      leave.push(() => source.removeEventListener(type, listener));
    },
    removeEventListener: (type, listener) => source.removeEventListener(type, listener),
  };
  try {
    return await work(toAbortSignal(source instanceof AbortSignal ? source : lent));
  } finally {
    for (const each of leave) each();
  }
}
