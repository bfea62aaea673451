/** Owns the place in a script: it counts calls, across restarts if it is given a file, and decides which step strikes. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { PlacedStep } from './script.ts';
import { strikes } from './script.ts';

/** A step that strikes the call that just arrived. */
export interface Strike {
  readonly step: PlacedStep;
  /** Number of the call, counted as the step counts: among calls of its tool, or among all. */
  readonly call: number;
}

/** The moving place in a script. */
export interface ScriptCursor {
  /** Counts one arrival of `tools/call` and returns the step that strikes it, if one does. */
  next(tool: string): Strike | undefined;
}

interface Counters {
  total: number;
  byTool: Record<string, number>;
}

/**
 * Starts counting.
 *
 * @param stateFile - where the counters live; with it a server that was killed and started anew counts on.
 */
export function createScriptCursor(steps: readonly PlacedStep[], stateFile?: string): ScriptCursor {
  const counters = stateFile === undefined ? fresh() : load(stateFile);
  return {
    next(tool) {
      counters.total += 1;
      counters.byTool[tool] = (counters.byTool[tool] ?? 0) + 1;
      if (stateFile !== undefined) save(stateFile, counters);
      for (const step of steps) {
        if (step.tool !== undefined && step.tool !== tool) continue;
        const call = step.tool === undefined ? counters.total : (counters.byTool[tool] ?? 0);
        if (strikes(step.at, call)) return { step, call };
      }
      return undefined;
    },
  };
}

function fresh(): Counters {
  return { total: 0, byTool: {} };
}

function load(file: string): Counters {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Counters) : fresh();
}

/** Renamed into place, so that a process killed here leaves the old counters or the new ones, never half a file. */
function save(file: string, counters: Counters): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(counters));
  renameSync(draft, file);
}
