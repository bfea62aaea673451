// The outside history: what anybody could have seen who stood beside the processes, the wire, the server and the store.
import type { OperationRecord } from '@mcp-tx/core';
import type { FaultKind, Plan } from './swarm.ts';

/** Stands for every operation where a loss of writes may concern any. */
export const ANY = '*';

/** Tools of the simulated server. `pay` is unsafe, `charge` has a key argument, `put` is idempotent, `read` changes nothing. */
export type ToolName = 'pay' | 'charge' | 'put' | 'read';

/** A user's wish to have something happen once. */
export interface Intent {
  readonly name: string;
  readonly tool: ToolName;
  readonly scope: string;
  /** Absent: each call is an operation of its own. */
  readonly key: string | undefined;
}

/** A caller's call. */
export interface CallSeen {
  readonly what: 'call';
  readonly at: number;
  readonly call: number;
  readonly process: string;
  readonly intent: Intent;
  /** Other arguments under the same key have another variant. */
  readonly variant: number;
  /** Outside name of the operation: the intent for keyed calls, the call itself for others. */
  readonly op: string;
  readonly timeoutMs: number;
  readonly onAbort: 'detach' | 'cancel' | undefined;
  readonly ifBusy: 'wait' | 'fail';
}

/** What a caller was told. */
export interface AnswerSeen {
  readonly what: 'answer';
  readonly at: number;
  readonly call: number;
  readonly ok: boolean;
  /** `JSON.stringify(result)` of a success. */
  readonly result?: string;
  readonly code?: string;
  readonly execution: string;
  readonly retryable: boolean;
  readonly recorded: boolean;
  readonly duplicate: boolean;
  readonly requestId?: string;
  readonly operationId?: string;
}

/** Bytes that left a process, or were refused at once. */
export interface SendSeen {
  readonly what: 'send';
  readonly at: number;
  readonly message: number;
  readonly process: string;
  readonly op: string;
  readonly tool: ToolName;
  readonly variant: number;
  readonly operationId: string;
  readonly requestId: string;
  readonly attempt: number;
}

/** How a send ended for its process, as the wire showed it. */
export interface EndSeen {
  readonly what: 'end';
  readonly at: number;
  readonly message: number;
  readonly process: string;
  /** What arrived: a result; an answer that proves that nothing ran; nothing that proves anything; an unusable result. */
  readonly proves: 'result' | 'unusable' | 'nothing-ran' | 'nothing';
  readonly says: string;
}

/** A call to the store, when the store answered it. `answer` is what the store said, whether or not the process heard it. */
export interface StoreSeen {
  readonly what: 'store';
  readonly at: number;
  /** By the store's own clock. */
  readonly storeAt: number;
  readonly process: string;
  readonly method: string;
  readonly operationId?: string;
  readonly ownerToken?: string;
  readonly fence?: number;
  readonly leaseMs?: number;
  readonly answer: string;
  /** Operations whose owner a sweep found gone; `freed`: those it gave back with nothing sent. */
  readonly swept?: readonly string[];
  readonly freed?: readonly string[];
}

/** One thing that was seen. */
export type Seen =
  | CallSeen
  | AnswerSeen
  | SendSeen
  | EndSeen
  | StoreSeen
  | { readonly what: 'abort'; readonly at: number; readonly call: number }
  | { readonly what: 'cancel'; readonly at: number; readonly message: number }
  | { readonly what: 'arrive'; readonly at: number; readonly message: number; readonly doubled: boolean }
  | {
      readonly what: 'effect';
      readonly at: number;
      readonly message: number;
      readonly op: string;
      readonly run: number;
    }
  | { readonly what: 'pause'; readonly at: number; readonly process: string; readonly until: number }
  | { readonly what: 'gone'; readonly at: number; readonly process: string; readonly how: 'crashed' | 'closed' }
  | { readonly what: 'amnesia'; readonly at: number; readonly operationIds: readonly string[] }
  | {
      readonly what: 'resolve';
      readonly at: number;
      readonly operationId: string;
      readonly outcome: string;
      readonly by: string;
    }
  | { readonly what: 'fault'; readonly at: number; readonly kind: FaultKind; readonly says: string }
  | { readonly what: 'healed'; readonly at: number };

/** A whole history. */
export interface History {
  readonly plan: Plan;
  readonly events: readonly Seen[];
  /** The store's list once everything is quiet. */
  readonly records: readonly OperationRecord[];
  /** Calls to processes that live, and that were never answered. */
  readonly unanswered: readonly string[];
  /** Timers that closed processes left behind, by process. */
  readonly leftTimers: Readonly<Record<string, number>>;
  /** Defects of the run itself: something threw where nothing may. */
  readonly broken: readonly string[];
  readonly steps: number;
  readonly endedAt: number;
}

/** Collects a history while it happens. */
export class Recorder {
  readonly events: Seen[] = [];
  readonly broken: string[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  see(event: DistributiveOmit<Seen, 'at'>): void {
    this.events.push({ ...event, at: this.#now() } as Seen);
  }

  fault(kind: FaultKind, says: string): void {
    this.see({ what: 'fault', kind, says });
  }
}

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;
