/** Puts an instance together: every part of the engine, made from the user's options. */
import { AdoptedConnection } from '../connect/adopted-connection.ts';
import type { ServerConnection } from '../connect/server-source.ts';
import { isServerSource } from '../connect/server-source.ts';
import { Admission } from '../engine/admission.ts';
import { Breaker } from '../engine/breaker.ts';
import { EventHub } from '../engine/call-events.ts';
import { LeaseKeeper } from '../engine/lease-keeper.ts';
import type { EnginePorts } from '../engine/ports.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { memoryLedger } from '../ledger/memory-ledger.ts';
import { createRetryBudget } from '../policy/retry-budget.ts';
import type { CallDefaults } from '../policy/settings.ts';
import { systemClock } from '../runtime/clock.ts';
import { createDeadlines } from '../runtime/deadlines.ts';
import { LinkedList } from '../runtime/linked-list.ts';
import { PassingMap } from '../runtime/passing-map.ts';
import { systemRandom } from '../runtime/random.ts';
import type { McpTxOptions } from './options.ts';
import { breakerOf, limitsOf } from './options.ts';

/** What only the instance itself can give. */
export interface InstanceHooks {
  readonly probe: EnginePorts['probe'];
  readonly isDraining: () => boolean;
  readonly onToolsChanged: () => void;
  readonly onReconnected: () => void;
  readonly onRemoteTask: () => void;
  readonly closed: AbortSignal;
}

/** The parts. */
export interface Parts {
  readonly ports: EnginePorts;
  readonly connection: ServerConnection;
  readonly ledger: Ledger | undefined;
  /** The ledger was made here, so it is closed here. */
  readonly ownsLedger: boolean;
}

/** Makes the parts; nothing is connected yet. */
export function createPorts(options: McpTxOptions, defaults: CallDefaults, hooks: InstanceHooks): Parts {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom();
  const events = new EventHub();
  const ownsLedger = options.ledger === undefined;
  const ledger = options.ledger === false ? undefined : (options.ledger ?? memoryLedger({ clock }));
  const context = {
    clock,
    random,
    onToolsChanged: hooks.onToolsChanged,
    onReconnected: hooks.onReconnected,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    probeIfIdleMs: options.probeIfIdleMs ?? 5_000,
  };
  const { server } = options;
  const connection = isServerSource(server) ? server.open(context) : new AdoptedConnection(server, context);
  const ports: EnginePorts = {
    caller: connection,
    ledger,
    clock,
    deadlines: createDeadlines(clock),
    random,
    events,
    breaker: new Breaker(breakerOf(options), clock, random, (state) => events.emit('breaker.changed', { state })),
    budget: createRetryBudget({
      capacity: options.retryBudget?.capacity ?? 10,
      ratio: options.retryBudget?.ratio ?? 0.1,
    }),
    admission: new Admission(limitsOf(options), clock),
    leases: new LeaseKeeper(ledger, clock, keptLeaseMs(options, defaults), options.renewLeases ?? true),
    rules: {
      trusted: options.trusted ?? false,
      busyMeansNotRun: options.busyMeansNotRun ?? true,
      unavailableMeansNotRun: options.unavailableMeansNotRun ?? false,
    },
    flights: new PassingMap(),
    active: new LinkedList(),
    session: random.id(),
    probe: hooks.probe,
    onRemoteTask: hooks.onRemoteTask,
    isDraining: hooks.isDraining,
    closed: hooks.closed,
  };
  return { ports, connection, ledger, ownsLedger };
}

/** How long leases last; `undefined`: each as long as its call, for where nothing renews them. */
function keptLeaseMs({ leaseMs, renewLeases = true }: McpTxOptions, defaults: CallDefaults): number | undefined {
  return renewLeases ? defaults.leaseMs : leaseMs;
}
