/** Lets the process end soon once it is told to: Next waits for open connections, and clients keep theirs for seconds. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import type { HttpKernel } from '@mcp-tx/core/http';

type Drainable = Pick<HttpKernel<Request>, 'drain'>;

interface Home {
  readonly kernels: Set<WeakRef<Drainable>>;
  readonly signals: Set<NodeJS.Signals>;
  /** The server that Next made; known from its first request on. */
  server?: Pick<Server, 'closeIdleConnections'>;
}

const HOME: unique symbol = Symbol.for('mcp-tx.next.drain');
/** Where Node tells of each request, with the server that got it. */
const REQUESTS = 'http.server.request.start';
const LOOK_MS = 50;

/** Has a kernel drained when the process ends. A hot reload makes new ones; the old ones are not kept alive by this. */
export function rememberKernel(kernel: Drainable): void {
  home().kernels.add(new WeakRef(kernel));
}

/**
 * For `register()` of `instrumentation.ts`: from the first of these signals on, `readyz` says 503, new calls are refused, and connections
 * are closed as soon as nothing is under way on them. Next waits for requests under way and ends the process; without this it also waits,
 * for seconds, until clients let go of their connections. With a server of your own, ending the process is yours to do.
 */
export function drainOnSignals(signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']): void {
  const place = home();
  if (place.signals.size === 0) subscribe(REQUESTS, rememberServer);
  for (const signal of signals) {
    if (place.signals.has(signal)) continue;
    place.signals.add(signal);
    process.once(signal, drainAll);
  }
}

function rememberServer(message: unknown): void {
  home().server = (message as { readonly server: Server }).server;
  unsubscribe(REQUESTS, rememberServer);
}

function drainAll(): void {
  const { kernels, server } = home();
  for (const kernel of kernels) void kernel.deref()?.drain();
  if (server !== undefined) setInterval(() => server.closeIdleConnections(), LOOK_MS).unref();
}

/** One for all bundles: `instrumentation.ts` and each route have a copy of this module of their own. */
function home(): Home {
  const place = globalThis as { [HOME]?: Home };
  place[HOME] ??= { kernels: new Set(), signals: new Set() };
  return place[HOME];
}
