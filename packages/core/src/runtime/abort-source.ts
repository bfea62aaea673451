/** What it takes to hear of an abort. An `AbortSignal` has it; it is also dear to make, so hosts that need one per request make less. */

/** Something that can be aborted once. Every `AbortSignal` is one. */
export interface AbortSource {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The same as an `AbortSignal`, for code that is not ours. */
export function toAbortSignal(source: AbortSource): AbortSignal {
  if (source instanceof AbortSignal) return source;
  const controller = new AbortController();
  if (source.aborted) controller.abort();
  else source.addEventListener('abort', () => controller.abort(), { once: true });
  return controller.signal;
}
