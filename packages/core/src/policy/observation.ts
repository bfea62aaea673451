/** What was seen of one send, as plain facts. Whoever watches the wire fills it in; nobody here judges it. */

/** A JSON-RPC error as it stood in a frame from the peer. */
export interface ErrorFrame {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The facts of a thrown value that may be relied on: stable fields, never its class. */
export interface ThrownFacts {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  /** `code` of the innermost cause that has one: ECONNREFUSED, UND_ERR_SOCKET, … */
  readonly causeCode?: string;
}

/** Everything seen of one send until it ended. */
export interface Observation {
  /** Whether the wire itself was watched. If not, the fields below hold only what the SDK let through. */
  readonly tapped: boolean;
  /** `false` only if it is certain that no byte left. */
  readonly dispatched: boolean;
  /** The last frame that answered this send. */
  readonly frame?: 'result' | 'error' | undefined;
  readonly errorFrame?: ErrorFrame | undefined;
  /** The result as the SDK resolved it; present only when it did. */
  readonly result?: object | undefined;
  /** The result as it stood in the frame, where a tap saw it. */
  readonly rawResult?: object | undefined;
  /** HTTP status of this send's own POST. */
  readonly status?: number | undefined;
  /** The server's Retry-After, as a duration in ms. */
  readonly retryAfterMs?: number | undefined;
  /** The POST carried a session id, so a 404 means that the session has expired. */
  readonly hadSession?: boolean | undefined;
  /** An earlier leg of this multi-round-trip request was answered: the server has been at work on it. */
  readonly laterLeg?: boolean | undefined;
  readonly thrown?: ThrownFacts | undefined;
  /** The connection ended, or the answer's stream did, before the answer came. */
  readonly lost?: boolean | undefined;
  /** We ourselves cancelled the send. */
  readonly cancelled?: boolean | undefined;
}

/** Reduces a thrown value to its facts. Safe on anything that can be thrown. */
export function factsOf(thrown: unknown): ThrownFacts {
  const isObject = typeof thrown === 'object' && thrown !== null;
  const { name, message, code, cause } = (isObject ? thrown : {}) as Readonly<Record<string, unknown>>;
  const causeCode = innermostCode(cause, 0);
  const words = isObject ? 'something was thrown that is no error' : String(thrown);
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : words,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(causeCode === undefined ? {} : { causeCode }),
  };
}

function innermostCode(cause: unknown, depth: number): string | undefined {
  if (typeof cause !== 'object' || cause === null || depth > 8) return undefined;
  const { code, cause: inner, errors, message } = cause as Record<string, unknown>;
  const deeper =
    innermostCode(inner, depth + 1) ?? (Array.isArray(errors) ? innermostCode(errors[0], depth + 1) : undefined);
  if (deeper !== undefined) return deeper;
  if (typeof code === 'string') return code;
  return message === 'bad port' ? 'ERR_BAD_PORT' : undefined;
}
