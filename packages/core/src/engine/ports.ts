/** Everything the engine reaches the world through. One set per instance; a simulation passes its own. */
import type { Ledger } from '../ledger/ledger.ts';
import type { CallPlan } from '../policy/call-plan.ts';
import type { ServerRules } from '../policy/classify.ts';
import type { RetryBudget } from '../policy/retry-budget.ts';
import type { ProbeOperation, ProbeVerdict } from '../policy/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Deadlines } from '../runtime/deadlines.ts';
import type { LinkedList } from '../runtime/linked-list.ts';
import type { PassingMap } from '../runtime/passing-map.ts';
import type { Random } from '../runtime/random.ts';
import type { Admission } from './admission.ts';
import type { Breaker } from './breaker.ts';
import type { EventHub } from './call-events.ts';
import type { Flight } from './flight.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { ToolCaller } from './tool-caller.ts';

/** What the engine works with. */
export interface EnginePorts {
  readonly caller: ToolCaller;
  /** Absent with `ledger: false`. */
  readonly ledger: Ledger | undefined;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly events: EventHub;
  readonly breaker: Breaker;
  readonly budget: RetryBudget;
  readonly admission: Admission;
  readonly leases: LeaseKeeper;
  readonly rules: ServerRules;
  /** Keyed operations under way in this process, by operation id. */
  readonly flights: PassingMap<string, Flight>;
  /** All operations under way, keyed or not. */
  readonly active: LinkedList<Flight>;
  /** Name of this instance in quarantine decisions. */
  readonly session: string;
  /** Runs the tool's probe with everything it needs; never throws. */
  readonly probe: (plan: CallPlan, operation: ProbeOperation) => Promise<ProbeVerdict>;
  /** The server goes on with an operation as a task; the record says which. */
  readonly onRemoteTask: () => void;
  /** `true` once `close()` has begun: no new operation is accepted. */
  readonly isDraining: () => boolean;
  /** Aborted when `close()` has waited long enough for the ledger. */
  readonly closed: AbortSignal;
}
