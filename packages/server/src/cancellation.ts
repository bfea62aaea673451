/** Decides what a tool sees of its client's cancellation, and whether that has coloured what the tool answers. */
import { member } from './member.ts';

/** A request's context as the tool is to see it. */
export interface CancellationView {
  /** The SDK's context, with the signal replaced where the tool must not see the real one. */
  readonly context: unknown;
  /** Whether this answer may come from the cancellation, and not from the tool. */
  colours(isError: boolean): boolean;
}

/**
 * With `detach` the tool gets a signal that never aborts. Its own requests to the client can still fail because the client
 * has gone; an error after that says nothing about the tool. With `cancel` no answer after the cancellation does.
 */
export function viewCancellation(context: unknown, onCancel: 'detach' | 'cancel'): CancellationView {
  const signal = signalOf(context);
  if (signal === undefined) return { context, colours: () => false };
  if (onCancel === 'cancel') return { context, colours: () => signal.aborted };
  let deserted = false;
  const desert = (): void => {
    deserted ||= signal.aborted;
  };
  const detached = (part: object, request: string): object => ({
    ...part,
    signal: new AbortController().signal,
    ...noticing(part, request, desert),
  });
  const inner = member(context, 'mcpReq'); // SDK v2 keeps both in here, SDK v1 in the context itself
  const seen =
    typeof inner === 'object' && inner !== null
      ? { ...(context as object), mcpReq: detached(inner, 'send') }
      : detached(context as object, 'sendRequest');
  return { context: seen, colours: (isError) => deserted && isError };
}

function signalOf(context: unknown): AbortSignal | undefined {
  const signal = member(member(context, 'mcpReq') ?? context, 'signal');
  return typeof signal === 'object' && signal !== null && 'aborted' in signal ? (signal as AbortSignal) : undefined;
}

/** The context's way to ask the client, which tells when it failed. */
function noticing(part: object, name: string, onFailure: () => void): object {
  const ask = member(part, name);
  if (typeof ask !== 'function') return {};
  const noticed = async (...args: readonly unknown[]): Promise<unknown> => {
    try {
      return await (ask as (...all: readonly unknown[]) => unknown)(...args);
    } catch (error) {
      onFailure();
      throw error;
    }
  };
  return { [name]: noticed };
}
