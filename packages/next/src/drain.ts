/** Lets the process end soon once it is told to: answers then close their connections, for which Next would wait otherwise. */
import type { HttpKernel } from '@mcp-tx/core/http';

type Drainable = Pick<HttpKernel<Request>, 'drain'>;

interface Home {
  readonly kernels: Set<WeakRef<Drainable>>;
  readonly signals: Set<NodeJS.Signals>;
}

const HOME: unique symbol = Symbol.for('mcp-tx.next.drain');

/** Has a kernel drained when the process ends. A hot reload makes new ones; the old ones are not kept alive by this. */
export function rememberKernel(kernel: Drainable): void {
  home().kernels.add(new WeakRef(kernel));
}

/**
 * For `register()` of `instrumentation.ts`: from the first of these signals on, `readyz` says 503, new calls are refused, and answers say
 * `Connection: close`. Next waits for requests under way and ends the process; without this it also waits, for seconds, until clients let
 * go of their connections. With a server of your own, ending the process is yours to do.
 */
export function drainOnSignals(signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']): void {
  const { signals: known } = home();
  for (const signal of signals) {
    if (known.has(signal)) continue;
    known.add(signal);
    process.once(signal, drainAll);
  }
}

function drainAll(): void {
  for (const kernel of home().kernels) void kernel.deref()?.drain();
}

/** One for all bundles: `instrumentation.ts` and each route have a copy of this module of their own. */
function home(): Home {
  const place = globalThis as { [HOME]?: Home };
  place[HOME] ??= { kernels: new Set(), signals: new Set() };
  return place[HOME];
}
