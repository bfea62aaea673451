/** Callers that wait for something of which there is not enough: first come, first served, each to its own deadline or abort. */
import { McpTxError } from '../outcome/tx-error.ts';
import type { Clock } from '../runtime/clock.ts';

/** One caller in line. */
interface Waiter<T> {
  readonly serve: (value: T) => void;
  readonly refuse: (error: McpTxError) => void;
}

/** How long a caller waits. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The line. A caller that leaves makes room at once, and leaves neither timer nor listener behind. */
export class WaitingLine<T> {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter<T>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get length(): number {
    return this.#waiters.size;
  }

  /** Waits at the end of the line. @throws McpTxError `DEADLINE_EXCEEDED`, `ABORTED`, and what {@link refuseFirst} says */
  wait({ timeoutMs, signal }: Patience): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        timer.cancel();
        signal?.removeEventListener('abort', abort);
      };
      const refuse = (error: McpTxError): void => {
        leave();
        reject(error);
      };
      const serve = (value: T): void => {
        leave();
        resolve(value);
      };
      const abort = (): void => refuse(new McpTxError('ABORTED', 'the caller stopped waiting for a session'));
      const late = (): void =>
        refuse(new McpTxError('DEADLINE_EXCEEDED', `no session became free within ${timeoutMs} ms`));
      const waiter: Waiter<T> = { serve, refuse };
      const timer = this.#clock.timer(timeoutMs, late);
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Gives `value` to whoever waits longest. `false`: nobody waits. */
  serveFirst(value: T): boolean {
    const [first] = this.#waiters;
    first?.serve(value);
    return first !== undefined;
  }

  /** Turns whoever waits longest away. */
  refuseFirst(error: McpTxError): void {
    const [first] = this.#waiters;
    first?.refuse(error);
  }

  /** Turns everybody away. */
  refuseAll(error: McpTxError): void {
    for (const { refuse } of [...this.#waiters]) refuse(error);
  }
}
