/** What happens to an operation while its driver waits, in the order it happened. */
import type { Observation } from '../policy/observation.ts';
import type { Sending } from './tool-caller.ts';

/** A send that is unanswered. */
export interface Send {
  readonly attempt: number;
  /** It has the number of an earlier one, of which the server said that it is under way. */
  readonly asksAgain: boolean;
  readonly sending: Sending;
  readonly sentAt: number;
  /** When the server last reported progress of it, by `monotonic()`; the send itself before. */
  heardAt: number;
  /** Present while it is one of the few that a half-open breaker let through, and the breaker waits to hear of it. */
  returnProbe: (() => void) | undefined;
}

/** One happening. */
export type DriverEvent =
  | { readonly kind: 'ended'; readonly send: Send; readonly seen: Observation }
  /** The time that the driver had set is over. */
  | { readonly kind: 'timer' }
  /** The last caller left. */
  | { readonly kind: 'stopped' }
  /** A caller came after the last one had left. */
  | { readonly kind: 'revived' };

/** A queue with one reader. */
export class Inbox {
  #events: DriverEvent[] | undefined = undefined;
  #reader: ((event: DriverEvent) => void) | undefined = undefined;

  put(event: DriverEvent): void {
    const reader = this.#reader;
    if (reader === undefined) {
      this.#events ??= [];
      this.#events.push(event);
      return;
    }
    this.#reader = undefined;
    reader(event);
  }

  /** The time that the driver had set is over. */
  wake(): void {
    this.put(TIMER);
  }

  /** Nothing has happened that the driver has not heard of. */
  get isEmpty(): boolean {
    return this.#events === undefined || this.#events.length === 0;
  }

  /** The next event; waits for it if need be. */
  next(): Promise<DriverEvent> {
    const event = this.#events?.shift();
    if (event !== undefined) return Promise.resolve(event);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }
}

const TIMER: DriverEvent = { kind: 'timer' };
/** The last caller left. */
export const STOPPED: DriverEvent = { kind: 'stopped' };
/** A caller came after the last one had left. */
export const REVIVED: DriverEvent = { kind: 'revived' };
