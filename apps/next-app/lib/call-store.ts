/** Keeps the calls of this browser tab: outside of React, so that they go on while another page is shown, and over a reload. */
import type { Call, Request } from './call.ts';
import { afterNews, afterReload, hasEnded } from './call.ts';
import { callStream } from './call-stream.ts';

const STORE = 'shop.calls';
/** How many calls are remembered. */
const KEPT = 20;
/** How long to wait before the same request is made again, ms. */
const AGAIN_MS = 1_000;

const NONE: readonly Call[] = [];
let calls: readonly Call[] | undefined;
const listeners = new Set<() => void>();
const leaving = new AbortController();

/** The calls, newest first. For `useSyncExternalStore`. */
export function currentCalls(): readonly Call[] {
  calls ??= restore();
  return calls;
}

/** Before the browser has taken over there are none. */
export function noCalls(): readonly Call[] {
  return NONE;
}

/** Tells when the calls change; the returned function ends that. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Runs a request, and takes down what becomes of it. */
export function startCall(request: Request): void {
  const number = (currentCalls()[0]?.number ?? 0) + 1;
  const call: Call = { number, request, startedAt: Date.now(), state: { is: 'sending' } };
  change([call, ...currentCalls()].slice(0, KEPT));
  void drive(number);
}

/** Takes down what a person said about a call in doubt. */
export function noteVerdict(number: number, verdict: { readonly happened: boolean; readonly reason: string }): void {
  replace(number, (call) => ({ ...call, verdict }));
}

/** Forgets the calls that have ended. Nothing is undone by that. */
export function forgetEnded(): void {
  change(currentCalls().filter((call) => !hasEnded(call)));
}

/** Makes the request until there is an answer or a problem; only one with a key is ever made again. */
async function drive(number: number): Promise<void> {
  for (let call = find(number); call !== undefined && !hasEnded(call); call = find(number)) {
    for await (const news of callStream(call.request, leaving.signal)) {
      if (leaving.signal.aborted) return;
      replace(number, (before) => afterNews(before, news, Date.now()));
    }
    const after = find(number);
    if (after?.state.is === 'waiting') await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

function restore(): readonly Call[] {
  // A page that is left breaks its requests off; that is no news, and must not be kept as such.
  addEventListener('pagehide', ({ persisted }) => {
    if (!persisted) leaving.abort();
  });
  const kept = readStore().map((call) => afterReload(call, Date.now()));
  for (const call of kept) if (!hasEnded(call)) queueMicrotask(() => void drive(call.number));
  return kept;
}

function readStore(): readonly Call[] {
  try {
    return JSON.parse(sessionStorage.getItem(STORE) ?? '[]') as readonly Call[];
  } catch {
    return NONE;
  }
}

function find(number: number): Call | undefined {
  return currentCalls().find((call) => call.number === number);
}

function replace(number: number, by: (call: Call) => Call): void {
  change(currentCalls().map((call) => (call.number === number ? by(call) : call)));
}

function change(next: readonly Call[]): void {
  calls = next;
  try {
    sessionStorage.setItem(STORE, JSON.stringify(next));
  } catch {
    // a full or forbidden storage: the calls live as long as the page
  }
  for (const listener of listeners) listener();
}
