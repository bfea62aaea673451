/** Collects what is seen of one send on the wire. Once the send has ended it is the observation. */
import type { ErrorFrame, Observation, ThrownFacts } from '../policy/observation.ts';
import { factsOf } from '../policy/observation.ts';

/** Who waits for the end of a watched send. */
export interface WatchOwner {
  /** The answer can no longer come. */
  onLost(): void;
}

/** Who exchanges the frames of a send itself. The SDK knows nothing of them, and does not see them. */
export interface FrameOwner extends WatchOwner {
  /** The answer came, and is noted on the watch. */
  onAnswer(): void;
  onProgress(params: unknown): void;
}

/** One send being watched. Whoever sees something writes it here. */
export class Watch implements Observation {
  /** The arguments object that the SDK was given: by its identity a tap recognises the send. Absent where the SDK has no part. */
  readonly arguments: object | undefined;
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
  owner: WatchOwner | undefined = undefined;
  /** Told of the frames that belong to the send, where it is not the SDK that exchanges them. */
  frames: FrameOwner | undefined = undefined;

  constructor(args: object | undefined, tapped: boolean) {
    this.arguments = args;
    this.tapped = tapped;
    this.dispatched = !tapped; // without a tap nobody can tell, so it is taken for sent
  }

  /** The answer can no longer come, unless it is here already. */
  lose(): void {
    if (this.lost || this.frame !== undefined) return;
    this.lost = true;
    this.owner?.onLost();
  }

  /** How the SDK's own promise ended. */
  end(result: object | undefined, thrown: unknown): this {
    this.result = result;
    if (thrown !== undefined) this.thrown = factsOf(thrown);
    return this;
  }
}
