/** Owns the count of faults: which were really injected, when, into which call, and which steps never struck. */
import { openJsonLines, readJsonLines } from '../effect-log/json-lines.ts';
import type { FaultKind } from './fault.ts';
import { effectTiming } from './fault.ts';
import type { PlacedStep } from './script.ts';
import type { Strike } from './script-cursor.ts';
import type { ToolCall } from './tool-call.ts';

/** One fault that was really injected. */
export interface InjectedFault {
  /** Index of the script's step. */
  readonly step: number;
  readonly kind: FaultKind;
  /** Whether the tool's effect had happened. */
  readonly when: 'before' | 'after';
  readonly tool: string;
  /** Number of the call, counted as the step counts. */
  readonly call: number;
  readonly jsonRpcId: string | number;
  readonly attemptId?: string;
  readonly operationId?: string;
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
  readonly injected: readonly InjectedFault[];
  /** How many faults of each kind. */
  readonly counts: Readonly<Partial<Record<FaultKind, number>>>;
  readonly unusedSteps: readonly UnusedStep[];
}

/** Takes down faults as they happen. */
export interface FaultRecorder {
  record(strike: Strike, call: ToolCall): void;
  report(): FaultReport;
  close(): void;
}

type Line = { readonly steps: readonly UnusedStep[] } | InjectedFault;

/**
 * Starts taking down faults, in memory and, if a path is given, in a file that is fsynced before the fault is injected.
 */
export function createFaultRecorder(steps: readonly PlacedStep[], path?: string): FaultRecorder {
  const listed = steps.filter(({ fault }) => fault.kind !== 'none').map(describe);
  const file = path === undefined ? undefined : openJsonLines<Line>(path);
  const injected: InjectedFault[] = [];
  file?.append({ steps: listed });
  return {
    record(strike, call) {
      const entry = toEntry(strike, call);
      injected.push(entry);
      file?.append(entry);
    },
    report: () => summarise(listed, injected),
    close: () => file?.close(),
  };
}

/**
 * Reads the faults log of a server in another process; also of one that was killed, or started several times.
 * A file that does not exist yet reports nothing.
 */
export function readFaults(path: string): FaultReport {
  const lines = readJsonLines<Line>(path);
  const steps = lines.flatMap((line) => ('steps' in line ? [line.steps] : []));
  const injected = lines.flatMap((line) => ('steps' in line ? [] : [line]));
  return summarise(steps.at(-1) ?? [], injected);
}

function summarise(steps: readonly UnusedStep[], injected: readonly InjectedFault[]): FaultReport {
  const counts: Partial<Record<FaultKind, number>> = {};
  for (const { kind } of injected) counts[kind] = (counts[kind] ?? 0) + 1;
  const used = new Set(injected.map(({ step }) => step));
  return { injected: [...injected], counts, unusedSteps: steps.filter(({ index }) => !used.has(index)) };
}

function describe({ index, tool, at, fault }: PlacedStep): UnusedStep {
  return { index, ...(tool === undefined ? {} : { tool }), at, kind: fault.kind };
}

function toEntry({ step, call: number }: Strike, call: ToolCall): InjectedFault {
  const { attemptId, operationId } = call.reliability;
  return {
    step: step.index,
    kind: step.fault.kind,
    when: effectTiming(step.fault),
    tool: call.tool,
    call: number,
    jsonRpcId: call.id,
    ...(attemptId === undefined ? {} : { attemptId }),
    ...(operationId === undefined ? {} : { operationId }),
    at: Date.now(),
    pid: process.pid,
  };
}
