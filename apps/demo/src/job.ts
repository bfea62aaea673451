/** What a worker process is told to do, and what it tells while it does it. */
import type { FaultPlan } from '@mcp-tx/testing/faulty-server';
import { planFaults } from './faults.ts';
import { chargeLane } from './work/charges.ts';
import type { Lane, Range, ServerName } from './work/lane.ts';
import { ticketLane } from './work/tickets.ts';

/** The two ways of doing the same work. */
export const SIDES = ['raw', 'mcpTx'] as const;

export type Side = (typeof SIDES)[number];

/** The work of one process. */
export interface Job {
  readonly side: Side;
  /** Where this side keeps all its files. */
  readonly folder: string;
  /** Which tickets and which orders. */
  readonly range: Range;
  /** Calls under way at once, per server. */
  readonly atOnce: number;
  /** Of the faults; without one the servers are healthy. */
  readonly faultSeed?: number;
}

/** What a worker tells the process that started it. */
export type WorkerMessage =
  | { readonly kind: 'done'; readonly server: ServerName; readonly done: number }
  /** The retry loop gave up on a call. */
  | { readonly kind: 'gave-up'; readonly server: ServerName; readonly key: string }
  /** MCP-Tx told the caller that a call is in doubt. */
  | { readonly kind: 'in-doubt'; readonly server: ServerName; readonly operationId: string };

/** How a worker tells it. */
export type Tell = (message: WorkerMessage) => void;

/** The work of a job, one lane for each server. */
export function lanesOf({ folder, range }: Job): readonly Lane[] {
  return [ticketLane(folder, range), chargeLane(folder, range)];
}

/** The faults that a job's server is to suffer. */
export function faultPlanOf({ faultSeed, range }: Job, lane: Lane): FaultPlan | undefined {
  return faultSeed === undefined ? undefined : planFaults(faultSeed, lane.tool, range.to - range.from + 1);
}
