/** Owns the count of faults: which were really injected, when, into which call, and which steps never struck. */
import type { CallIdentity } from '../effect-log/call-identity.ts';
import { openJsonLines, readJsonLines } from '../effect-log/json-lines.ts';
import type { FaultKind, When } from './fault.ts';
import { effectTiming } from './fault.ts';
import type { PlacedStep } from './script.ts';
import type { Strike } from './script-cursor.ts';
import type { ToolCall } from './tool-call.ts';
import { identify } from './tool-call.ts';

/** One `tools/call` request that reached the server, whatever became of it. */
export interface Arrival extends CallIdentity {
  /** `attempt` of the request's MCP-Tx metadata. */
  readonly attempt?: number;
  /** `remainingMs` of the same: time that the caller has left. */
  readonly remainingMs?: number;
  /** Trace context of the request's `_meta`. */
  readonly traceparent?: string;
  /** Wall clock, epoch milliseconds. */
  readonly at: number;
  readonly pid: number;
}

/** One fault that was really injected. */
export interface InjectedFault extends CallIdentity {
  /** Index of the script's step. */
  readonly step: number;
  readonly kind: FaultKind;
  /** Whether the tool's effect had happened. */
  readonly when: When;
  /** Number of the call, counted as the step counts. */
  readonly call: number;
  /** Wall clock, epoch milliseconds. */
  readonly at: number;
  readonly pid: number;
}

/** A step that no call has met. */
export interface UnusedStep {
  readonly index: number;
  readonly tool?: string;
  readonly at: number | string;
  readonly kind: FaultKind;
}

/** What a script did so far. */
export interface FaultReport {
  /** Every `tools/call` that reached the server: what was really sent, retries included. */
  readonly arrivals: readonly Arrival[];
  readonly injected: readonly InjectedFault[];
  /** How many faults of each kind. */
  readonly counts: Readonly<Partial<Record<FaultKind, number>>>;
  readonly unusedSteps: readonly UnusedStep[];
}

/** Takes down calls and faults as they happen. */
export interface FaultRecorder {
  arrived(call: ToolCall): void;
  record(strike: Strike, call: ToolCall): void;
  report(): FaultReport;
  close(): void;
}

type Line =
  | { readonly steps: readonly UnusedStep[] }
  | { readonly arrival: Arrival }
  | { readonly fault: InjectedFault };

/**
 * Starts taking down faults, in memory and, if a path is given, in a file that is fsynced before the fault is injected.
 */
export function createFaultRecorder(steps: readonly PlacedStep[], path?: string): FaultRecorder {
  const head = { steps: steps.filter(({ fault }) => fault.kind !== 'none').map(describe) };
  const lines: Line[] = [head];
  const file = path === undefined ? undefined : openJsonLines<Line>(path);
  file?.append(head);
  return {
    arrived(call) {
      const line = { arrival: toArrival(call) };
      lines.push(line);
      file?.appendQuickly(line);
    },
    record(strike, call) {
      const line = { fault: toFault(strike, call) };
      lines.push(line);
      file?.append(line);
    },
    report: () => summarise(lines),
    close: () => file?.close(),
  };
}

/**
 * Reads the faults log of a server in another process; also of one that was killed, or started several times.
 * A file that does not exist yet reports nothing.
 */
export function readFaults(path: string): FaultReport {
  return summarise(readJsonLines<Line>(path));
}

function summarise(lines: readonly Line[]): FaultReport {
  const steps = lines.flatMap((line) => ('steps' in line ? [line.steps] : [])).at(-1) ?? [];
  const arrivals = lines.flatMap((line) => ('arrival' in line ? [line.arrival] : []));
  const injected = lines.flatMap((line) => ('fault' in line ? [line.fault] : []));
  const counts: Partial<Record<FaultKind, number>> = {};
  for (const { kind } of injected) counts[kind] = (counts[kind] ?? 0) + 1;
  const used = new Set(injected.map(({ step }) => step));
  return { arrivals, injected, counts, unusedSteps: steps.filter(({ index }) => !used.has(index)) };
}

function describe({ index, tool, at, fault }: PlacedStep): UnusedStep {
  return { index, ...(tool === undefined ? {} : { tool }), at, kind: fault.kind };
}

function toArrival(call: ToolCall): Arrival {
  const { attempt, remainingMs } = call.reliability;
  const { traceparent } = call;
  return {
    ...identify(call),
    ...(attempt === undefined ? {} : { attempt }),
    ...(remainingMs === undefined ? {} : { remainingMs }),
    ...(traceparent === undefined ? {} : { traceparent }),
    at: Date.now(),
    pid: process.pid,
  };
}

function toFault({ step, call: number }: Strike, call: ToolCall): InjectedFault {
  const { index, fault } = step;
  const place = { step: index, kind: fault.kind, when: effectTiming(fault), call: number };
  return { ...place, ...identify(call), at: Date.now(), pid: process.pid };
}
