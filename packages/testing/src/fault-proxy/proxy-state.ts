/** Owns what the proxy must remember when it is started anew: how many calls there were, and which faults. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Decision, FaultPlan, ProxyFaultKind } from './plan.ts';
import { concerns, decide } from './plan.ts';

/** Counts calls and decides about each. */
export interface ProxySchedule {
  /** Counts one `tools/call` and says what happens to it. */
  next(tool: string): { readonly call: number; readonly decision: Decision | undefined };
}

interface State {
  calls: number;
  decided: Partial<Record<ProxyFaultKind, number>>;
}

/**
 * Starts a schedule, or goes on with the one in the file.
 *
 * @param stateFile - without it every start begins at call 1.
 */
export function createSchedule(plan: FaultPlan, stateFile?: string): ProxySchedule {
  const state = load(stateFile);
  return {
    next(tool) {
      if (!concerns(plan, tool)) return { call: 0, decision: undefined };
      state.calls += 1;
      const decision = decide(plan, state.calls, state.decided);
      if (decision !== undefined) state.decided[decision.kind] = (state.decided[decision.kind] ?? 0) + 1;
      if (stateFile !== undefined) save(stateFile, state);
      return { call: state.calls, decision };
    },
  };
}

function load(file: string | undefined): State {
  if (file === undefined || !existsSync(file)) return { calls: 0, decided: {} };
  return JSON.parse(readFileSync(file, 'utf8')) as State;
}

/** Renamed into place: a proxy that dies here leaves the old state or the new one, never half a file. */
function save(file: string, state: State): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(state));
  renameSync(draft, file);
}
