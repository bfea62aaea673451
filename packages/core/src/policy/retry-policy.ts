/** Decides what follows a failed attempt: send again, listen on, give the key back, or end. */
import type { DeliveryMode } from '../outcome/call-result.ts';
import type { Classification } from './classify.ts';

/** What the engine shall do next. */
export type Decision =
  /** Send again after the backoff, or after the server's Retry-After. */
  | { readonly do: 'resend'; readonly recover?: 'auth' | 'session' }
  /** Nothing ran and no more sends are allowed: free the operation, the key stays usable. */
  | { readonly do: 'release' }
  /** End the operation with what this attempt proved. */
  | { readonly do: 'settle' }
  /** Not to be sent again, but an answer may still come. */
  | { readonly do: 'listen' };

/** Where the operation stands. */
export interface RetrySituation {
  readonly mode: DeliveryMode;
  readonly attempt: number;
  readonly attemptLimit: number;
  /** An earlier send of this operation is still unanswered, so "nothing ran" cannot be said any more. */
  readonly earlierUnknown: boolean;
  /** The answer can still arrive: the connection is up and we did not cancel. */
  readonly stillListening: boolean;
  /** Re-authentication or a new session was tried already. */
  readonly recovered: boolean;
}

/** The decision after an attempt that did not complete. */
export function decide(failure: Classification, at: RetrySituation): Decision {
  const mayResend = at.attempt < at.attemptLimit;
  switch (failure.class) {
    case 'completed':
    case 'executed-unusable':
    case 'pending':
      return { do: 'settle' };
    case 'rejected':
      return at.earlierUnknown ? { do: 'listen' } : { do: 'settle' };
    case 'rejected-auth':
    case 'rejected-session':
      if (mayResend && !at.recovered)
        return { do: 'resend', recover: failure.class === 'rejected-auth' ? 'auth' : 'session' };
      return nothingRan(at);
    case 'not-sent':
    case 'rejected-busy':
      return mayResend ? { do: 'resend' } : nothingRan(at);
    case 'unknown':
      if (
        mayResend &&
        at.mode !== 'at-most-once' &&
        failure.doubt !== 'server-in-doubt' &&
        failure.doubt !== 'aborted'
      ) {
        return { do: 'resend' };
      }
      return at.stillListening ? { do: 'listen' } : { do: 'settle' };
  }
}

function nothingRan(at: RetrySituation): Decision {
  return at.earlierUnknown ? { do: 'listen' } : { do: 'release' };
}
