// Draws what a history is made of: which faults exist in it at all, and limits small enough to bind.
//
// Swarm testing (Groce et al., "Swarm Testing", ISSTA 2012): a run without most faults reaches states that a run with all
// of them never reaches.
import type { Dice } from './dice.ts';

/** Every kind of fault, with the range its strength is drawn from: a probability for each occasion, or a number of times. */
const FAULTS = {
  'request.lost': [0.02, 0.3],
  'request.slow': [0.05, 0.4],
  'request.doubled': [0.05, 0.4],
  'answer.lost': [0.02, 0.3],
  'answer.slow': [0.05, 0.5],
  'answer.doubled': [0.05, 0.4],
  'connection.reset': [1, 3],
  'connection.refused': [0.02, 0.3],
  'server.crash.beforeEffect': [0.02, 0.15],
  'server.crash.afterEffect': [0.02, 0.15],
  'server.crash.beforeAnswer': [0.02, 0.15],
  'server.busy': [0.02, 0.3],
  'server.forbidden': [0.02, 0.2],
  'server.sessionGone': [0.02, 0.2],
  'server.badRequest': [0.02, 0.2],
  'server.error': [0.02, 0.2],
  'server.garbage': [0.02, 0.2],
  'process.crash': [1, 3],
  'process.pause': [1, 4],
  'ledger.failBefore': [0.01, 0.15],
  'ledger.failAfter': [0.01, 0.15],
  'ledger.outage': [1, 2],
  'ledger.amnesia': [1, 1],
  'clock.skew': [1, 1],
  'clock.step': [1, 3],
  'clock.storeStep': [1, 2],
  'caller.abort': [0.05, 0.3],
} as const;

/** Name of a kind of fault. */
export type FaultKind = keyof typeof FAULTS;

export const FAULT_KINDS: readonly FaultKind[] = Object.keys(FAULTS) as FaultKind[];

/** A fault is left out of so many histories. Losing acknowledged writes excuses much, so it is rarer. */
const LEFT_OUT = 0.4;
const AMNESIA_LEFT_OUT = 0.95;

/** What the tool server does about repeats. */
export type ServerKind = 'plain' | 'aware' | 'transactional';

/** A history before it begins. Durations in ms. */
export interface Plan {
  readonly seed: number;
  readonly server: ServerKind;
  readonly wire: 'http' | 'stdio';
  readonly processes: number;
  readonly intents: number;
  readonly calls: number;
  /** New calls come until then; the faults stop then, too. */
  readonly busyMs: number;
  /** Strength of each fault; 0: it does not exist here. */
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly timeoutMs: readonly number[];
  readonly attemptTimeoutMs: number | undefined;
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly settleGraceMs: number;
  readonly quietMs: number;
  readonly leaseMs: number;
  readonly sweepIntervalMs: number;
  readonly maxInFlight: number;
  readonly maxQueued: number;
  readonly breaker:
    | { readonly failureThreshold: number; readonly openMs: number; readonly halfOpenProbes: number }
    | false;
  readonly retryCapacity: number;
  readonly retentionMs: number;
  readonly quarantineMs: number;
  readonly storeArguments: boolean;
  readonly hasProbe: boolean;
  readonly hasOperator: boolean;
  readonly probeIfIdleMs: number;
  /** Longest time from a send to its effect: a message lives no longer. */
  readonly messageLifeMs: number;
  readonly executionMs: number;
  readonly ledgerLatencyMs: number;
}

/** Draws a plan. */
export function drawPlan(seed: number, dice: Dice): Plan {
  const settleGraceMs = dice.pick([0, 100, 600, 2_000]);
  const quietMs = dice.pick([20, 200]);
  return {
    seed,
    server: dice.pick(['plain', 'plain', 'aware', 'transactional']),
    wire: dice.pick(['http', 'http', 'stdio']),
    processes: dice.int(1, 3),
    intents: dice.int(3, 9),
    calls: dice.int(10, 28),
    busyMs: dice.pick([1_500, 4_000]),
    faults: drawFaults(dice),
    timeoutMs: dice.pick([
      [150, 400],
      [400, 1_200],
      [1_200, 3_000],
      [150, 3_000],
    ]),
    attemptTimeoutMs: dice.pick([undefined, 60, 250]),
    maxAttempts: dice.int(1, 4),
    baseDelayMs: dice.pick([5, 40, 150]),
    settleGraceMs,
    quietMs,
    leaseMs: dice.pick([300, 800, 2_500]),
    sweepIntervalMs: dice.pick([250, 900]),
    maxInFlight: dice.pick([1, 3, 64]),
    maxQueued: dice.pick([1, 4, 64]),
    breaker: dice.pick([false, { failureThreshold: dice.int(2, 5), openMs: 300, halfOpenProbes: dice.int(1, 2) }]),
    retryCapacity: dice.pick([1, 10, 100]),
    retentionMs: dice.pick([4_000, 3_600_000]),
    quarantineMs: dice.pick([0, 3_000]),
    storeArguments: dice.chance(0.3),
    hasProbe: dice.chance(0.4),
    hasOperator: dice.chance(0.3),
    probeIfIdleMs: dice.pick([100, 5_000]),
    messageLifeMs: settleGraceMs + quietMs - 10,
    executionMs: dice.pick([2, 30]),
    ledgerLatencyMs: dice.pick([0, 1, 8]),
  };
}

function drawFaults(dice: Dice): Record<FaultKind, number> {
  const faults = {} as Record<FaultKind, number>;
  for (const kind of FAULT_KINDS) {
    const [low, high] = FAULTS[kind];
    const isLeftOut = dice.chance(kind === 'ledger.amnesia' ? AMNESIA_LEFT_OUT : LEFT_OUT);
    const strength = Number.isInteger(high) ? dice.int(low, high) : low + dice.next() * (high - low);
    faults[kind] = isLeftOut ? 0 : strength;
  }
  return faults;
}
