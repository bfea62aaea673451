/** What it takes to hear of an abort. An `AbortSignal` has it; it is also dear to make, so hosts that need one per request make less. */

/** Something that can be aborted once. Every `AbortSignal` is one. */
export interface AbortSource {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
