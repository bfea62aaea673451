/** Which call meets which fault, planned from a seed, and what was really injected, read from the proxy's log. */
import { createHash } from 'node:crypto';
import type { FaultPlan, ProxyFault } from '@mcp-tx/testing/faulty-server';

/** The faults of the demo. */
export const FAULT_KINDS = ['drop-request', 'drop-response', 'kill-before', 'kill-during', 'kill-after'] as const;

/** Calls in a row that an outage kills: as many as the retry loop has tries. */
const OUTAGE_CALLS = 3;
/** One fault of each kind per so many calls. */
const CALLS_PER_FAULT = 30;

/**
 * The faults that one server is to suffer in its first `calls` calls: each kind at least once, and one outage in which the
 * server dies on three calls in a row. The same seed gives the same plan.
 */
export function planFaults(seed: number, tool: string, calls: number): FaultPlan {
  const dice = (purpose: string): number => draw(`${seed}/${tool}/${purpose}`);
  const outageFrom = 3 + Math.floor(dice('outage') * (calls - OUTAGE_CALLS - 2));
  const outage = Array.from({ length: OUTAGE_CALLS }, (_, i) => outageFrom + i);
  const free = Array.from({ length: calls - 1 }, (_, i) => i + 2)
    .filter((call) => call < outageFrom - 1 || call >= outageFrom + OUTAGE_CALLS) // the call before it ends well, too
    .sort((a, b) => dice(`call ${a}`) - dice(`call ${b}`));
  const each = Math.max(1, Math.floor(calls / CALLS_PER_FAULT));
  const at = Object.fromEntries(FAULT_KINDS.map((kind, i) => [kind, free.slice(i * each, (i + 1) * each)]));
  return {
    seed,
    tools: [tool],
    killAfterMs: [0, 50],
    at: { ...at, 'kill-before': [...(at['kill-before'] ?? []), ...outage] },
  };
}

/** How often each kind was really injected. */
export function countKinds(faults: readonly ProxyFault[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { kind } of faults) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** How many calls of a tool were left without an answer by these faults: nobody on this side can know whether they ran. */
export function countAmbiguous(faults: readonly ProxyFault[], tool: string): number {
  const struck = faults.flatMap((fault) => [fault.tool, ...fault.alsoLost.map((other) => other.tool)]);
  return struck.filter((name) => name === tool).length;
}

/** A number in [0, 1) that depends on nothing but its argument. */
function draw(from: string): number {
  return createHash('sha256').update(from).digest().readUInt32BE() / 2 ** 32;
}
