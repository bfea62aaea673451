/** Typed lifecycle events of calls: what logs, metrics and traces hang on. Without a listener they cost a comparison. */
import type { DeliveryMode } from '../outcome/call-result.ts';
import type { Outcome } from '../outcome/outcome.ts';
import type { AttemptClass } from '../policy/classify.ts';

/** Fields of every event of a call. */
export interface EventOfCall {
  readonly operationId: string;
  readonly requestId: string;
  readonly tool: string;
}

/** Every event by name. */
export interface CallEvents {
  /** A call was accepted and planned. */
  readonly 'call.started': EventOfCall & {
    readonly mode: DeliveryMode;
    readonly hasKey: boolean;
    /** As the caller gave them: they may hold secrets. */
    readonly arguments: Readonly<Record<string, unknown>>;
  };
  /** A call was answered to its caller. */
  readonly 'call.ended': EventOfCall & {
    readonly ok: boolean;
    readonly code?: string;
    readonly duplicate: boolean;
    readonly attempts: number;
    readonly durationMs: number;
  };
  /** The bytes of a send are about to leave. */
  readonly 'attempt.sent': EventOfCall & { readonly attempt: number; readonly attemptId: string };
  readonly 'attempt.ended': EventOfCall & {
    readonly attempt: number;
    readonly class: AttemptClass;
    readonly says: string;
  };
  /** The next send was decided. */
  readonly 'retry.scheduled': EventOfCall & { readonly attempt: number; readonly delayMs: number };
  /** The caller was answered while a send was still unanswered; the engine listens on. */
  readonly 'call.detached': EventOfCall & { readonly reason: string };
  readonly 'operation.settled': EventOfCall & { readonly outcome: Outcome['state']; readonly reason?: string };
  readonly 'operation.resolved': {
    readonly operationId: string;
    readonly by: string;
    readonly outcome: Outcome['state'];
  };
  /** A late answer said something else than an earlier resolution. */
  readonly 'operation.contradicted': { readonly operationId: string };
  /** Another owner took the operation over. */
  readonly 'lease.lost': EventOfCall;
  /** A write to the ledger did not succeed and is being repeated. */
  readonly 'ledger.delayed': EventOfCall & { readonly write: string; readonly error: unknown };
  readonly 'breaker.changed': { readonly state: 'closed' | 'open' | 'half-open' };
  /** A listener or probe of the user threw. */
  readonly 'hook.failed': { readonly hook: string; readonly error: unknown };
}

/** Receives one kind of event. What it throws is reported as `hook.failed` and never reaches a call. */
export type Listener<Name extends keyof CallEvents> = (event: CallEvents[Name]) => void;

/** Sends events to those who asked for them. */
export class EventHub {
  readonly #listeners = new Map<keyof CallEvents, Set<Listener<never>>>();

  /** Begins to listen; the returned function ends it. */
  on<Name extends keyof CallEvents>(name: Name, listener: Listener<Name>): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.#listeners.get(name) === set) this.#listeners.delete(name);
    };
  }

  /** Whether anybody listens: ask before building an event. */
  wants(name: keyof CallEvents): boolean {
    return this.#listeners.size !== 0 && this.#listeners.has(name);
  }

  emit<Name extends keyof CallEvents>(name: Name, event: CallEvents[Name]): void {
    if (this.#listeners.size === 0) return;
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as Listener<Name>)(event);
      } catch (error) {
        if (name !== 'hook.failed') this.emit('hook.failed', { hook: `listener of ${name}`, error });
      }
    }
  }

  /** Forgets all listeners. */
  clear(): void {
    this.#listeners.clear();
  }
}
