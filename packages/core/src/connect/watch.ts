/** Collects what is seen of one send on the wire, and hands it over as an observation once the send has ended. */
import type { ErrorFrame, Observation } from '../policy/observation.ts';
import { factsOf } from '../policy/observation.ts';

/** One send being watched. Whoever sees something writes it here. */
export class Watch {
  readonly attemptId: string;
  dispatched = false;
  frame: 'result' | 'error' | undefined;
  errorFrame: ErrorFrame | undefined;
  rawResult: object | undefined;
  status: number | undefined;
  retryAfterMs: number | undefined;
  hadSession = false;
  /** JSON-RPC id of the latest leg. */
  requestId: string | number | undefined;
  lost = false;
  cancelled = false;
  /** Told when the answer can no longer come. */
  onLost: (() => void) | undefined;

  constructor(attemptId: string) {
    this.attemptId = attemptId;
  }

  /** The answer can no longer come, unless it is here already. */
  lose(): void {
    if (this.lost || this.frame !== undefined) return;
    this.lost = true;
    this.onLost?.();
  }

  /** Everything seen, with how the SDK's own promise ended. */
  observe(result: object | undefined, thrown: unknown, tapped: boolean): Observation {
    return {
      tapped,
      dispatched: this.dispatched || !tapped,
      ...(this.frame === undefined ? {} : { frame: this.frame }),
      ...(this.errorFrame === undefined ? {} : { errorFrame: this.errorFrame }),
      ...(this.rawResult === undefined ? {} : { rawResult: this.rawResult }),
      ...(this.status === undefined ? {} : { status: this.status }),
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.hadSession ? { hadSession: true } : {}),
      ...(this.lost ? { lost: true } : {}),
      ...(this.cancelled ? { cancelled: true } : {}),
      ...(result === undefined ? {} : { result }),
      ...(thrown === undefined ? {} : { thrown: factsOf(thrown) }),
    };
  }
}
