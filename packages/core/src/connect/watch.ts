/** Collects what is seen of one send on the wire. Once the send has ended it is the observation. */
import type { ErrorFrame, Observation, ThrownFacts } from '../policy/observation.ts';
import { factsOf } from '../policy/observation.ts';

/** One send being watched. Whoever sees something writes it here. */
export class Watch implements Observation {
  /** The arguments object that the SDK was given: by its identity a tap recognises the send. */
  readonly arguments: object;
  readonly tapped: boolean;
  dispatched: boolean;
  frame: 'result' | 'error' | undefined = undefined;
  errorFrame: ErrorFrame | undefined = undefined;
  rawResult: object | undefined = undefined;
  result: object | undefined = undefined;
  thrown: ThrownFacts | undefined = undefined;
  status: number | undefined = undefined;
  retryAfterMs: number | undefined = undefined;
  hadSession = false;
  laterLeg = false;
  lost = false;
  cancelled = false;
  /** JSON-RPC id of the latest leg. */
  requestId: string | number | undefined = undefined;
  /** Told when the answer can no longer come. */
  onLost: (() => void) | undefined = undefined;

  constructor(args: object, tapped: boolean) {
    this.arguments = args;
    this.tapped = tapped;
    this.dispatched = !tapped; // without a tap nobody can tell, so it is taken for sent
  }

  /** The answer can no longer come, unless it is here already. */
  lose(): void {
    if (this.lost || this.frame !== undefined) return;
    this.lost = true;
    this.onLost?.();
  }

  /** How the SDK's own promise ended. */
  end(result: object | undefined, thrown: unknown): this {
    this.result = result;
    if (thrown !== undefined) this.thrown = factsOf(thrown);
    return this;
  }
}
