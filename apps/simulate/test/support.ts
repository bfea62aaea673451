// Histories by hand: what the checker is fed to see that it cries when it should, and only then.
import type { OperationRecord } from '@mcp-tx/core';
import { Dice } from '../src/world/dice.ts';
import type { CallSeen, History, Seen } from '../src/world/history.ts';
import type { Plan } from '../src/world/swarm.ts';
import { drawPlan, FAULT_KINDS } from '../src/world/swarm.ts';

const CALM: Partial<Plan> = {
  server: 'plain',
  faults: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as unknown as Plan['faults'],
  maxAttempts: 2,
  leaseMs: 1_000,
  settleGraceMs: 500,
  retentionMs: 3_600_000,
  quarantineMs: 0,
  hasProbe: false,
};

/** A history of these events; the store holds these records in the end. */
export function history(
  events: readonly Seen[],
  records: readonly Partial<OperationRecord>[] = [],
  plan: Partial<Plan> = {},
): History {
  return {
    plan: { ...drawPlan(1, new Dice(1)), ...CALM, ...plan },
    events,
    records: records.map((record) => ({ ...RECORD, ...record })),
    unanswered: [],
    leftTimers: {},
    broken: [],
    steps: events.length,
    endedAt: 30_000,
  };
}

const RECORD: OperationRecord = {
  operationId: 'op_1',
  digest: '',
  scope: 'a',
  serverName: 'server',
  tool: 'pay',
  requestId: 'req_0',
  state: 'completed',
  mode: 'at-most-once',
  attempts: 1,
  attemptLimit: 2,
  fence: 1,
  leaseUntil: 0,
  deadlineAt: 0,
  settleWindowMs: 0,
  createdAt: 0,
  contradicted: false,
  outcome: { state: 'completed', result: '"pay i1 v0 run 1"' },
};

/** Call `call` of the intent i1, whose key is k, by process p1. */
export function call(at: number, number: number, more: Partial<CallSeen> = {}): Seen {
  return {
    what: 'call',
    at,
    call: number,
    process: 'p1',
    intent: { name: 'i1', tool: 'pay', scope: 'a', key: 'k' },
    variant: 0,
    op: 'i1',
    timeoutMs: 1_000,
    onAbort: undefined,
    ifBusy: 'wait',
    ...more,
  };
}

/** Its answer: a recorded success, unless told otherwise. */
export function answer(at: number, number: number, more: Partial<Extract<Seen, { what: 'answer' }>> = {}): Seen {
  return {
    what: 'answer',
    at,
    call: number,
    ok: true,
    result: '"pay i1 v0 run 1"',
    execution: 'done',
    retryable: false,
    recorded: true,
    duplicate: false,
    requestId: `req_${number}`,
    operationId: 'op_1',
    ...more,
  };
}

/** An error instead. */
export function refusal(at: number, number: number, code: string, execution: string, recorded = false): Seen {
  const { result, ...error } = answer(at, number, { ok: false, code, execution, recorded }) as Extract<
    Seen,
    { what: 'answer' }
  >;
  return error;
}

/** Message `message` of i1 leaves p1 for the call `number`. */
export function send(at: number, message: number, more: Partial<Extract<Seen, { what: 'send' }>> = {}): Seen {
  return {
    what: 'send',
    at,
    message,
    process: 'p1',
    op: 'i1',
    tool: 'pay',
    variant: 0,
    operationId: 'op_1',
    requestId: 'req_0',
    attempt: 1,
    ...more,
  };
}

export function effect(at: number, message: number): Seen {
  return { what: 'effect', at, message, op: 'i1', run: message };
}

/** How message `message` ends for p1. */
export function end(at: number, message: number, proves: 'result' | 'nothing-ran' | 'nothing'): Seen {
  return { what: 'end', at, message, process: 'p1', proves, says: '' };
}

/** The store answers p1. */
export function store(
  at: number,
  method: string,
  said: string,
  more: Partial<Extract<Seen, { what: 'store' }>> = {},
): Seen {
  return {
    what: 'store',
    at,
    storeAt: at,
    process: 'p1',
    method,
    operationId: 'op_1',
    ownerToken: 'req_0',
    fence: 1,
    leaseMs: 1_000,
    answer: said,
    ...more,
  };
}
