/** Puts together what sweeps and probes of single operations work with. */
import type { EnginePorts } from '../engine/ports.ts';
import type { ProbeOperation, ProbeVerdict, ToolRule } from '../policy/settings.ts';
import type { Calls } from './calls.ts';
import type { Parts } from './create-ports.ts';
import type { ProbeKit } from './run-probe.ts';
import { runProbe } from './run-probe.ts';
import type { SweepKit } from './sweeper.ts';

/** What only the instance itself can give. */
export interface SweepHooks {
  readonly serverName: string;
  readonly retentionMs: number;
  readonly calls: Calls;
  readonly probeKit: ProbeKit;
  readonly isStopped: () => boolean;
}

/** The kit; `undefined` without a ledger. */
export function createSweepKit({ ports, connection, ledger }: Parts, hooks: SweepHooks): SweepKit | undefined {
  if (ledger === undefined) return undefined;
  const { calls, probeKit, serverName, retentionMs, isStopped } = hooks;
  const rule = (tool: string): ToolRule | undefined => calls.rule(tool);
  const { clock, events, random }: EnginePorts = ports;
  return {
    ledger,
    clock,
    events,
    serverName,
    connection,
    retentionMs,
    isStopped,
    newId: () => random.id(),
    firstSeen: new Map(),
    working: new Set(),
    isReadOnly: (tool) => rule(tool)?.readOnly === true,
    hasProbe: (tool) => rule(tool)?.probe !== undefined,
    probe: (operation: ProbeOperation): Promise<ProbeVerdict> =>
      runProbe(rule(operation.tool)?.probe, operation, probeKit),
    run: (record) => calls.resume(record),
  };
}
