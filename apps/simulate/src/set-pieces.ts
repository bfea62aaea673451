// Scenes that no swarm plays often enough: thousands of calls to a server that is silent, or down, or slow beside another.
import type { Violation } from './checker/facts.ts';
import type { Plan } from './world/swarm.ts';
import { FAULT_KINDS } from './world/swarm.ts';
import type { Instance } from './world/world.ts';
import { World } from './world/world.ts';

const CALM: Partial<Plan> = {
  server: 'plain',
  wire: 'stdio', // a server for each process
  faults: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as unknown as Plan['faults'],
  attemptTimeoutMs: 100,
  maxAttempts: 4,
  baseDelayMs: 5,
  settleGraceMs: 0,
  leaseMs: 2_500,
  sweepIntervalMs: 900,
  maxInFlight: 64,
  maxQueued: 64,
  breaker: false,
  retryCapacity: 10,
  retentionMs: 3_600_000,
  quarantineMs: 0,
  hasProbe: false,
  probeIfIdleMs: 5_000,
  executionMs: 2,
  ledgerLatencyMs: 0,
};

/** What the scenes showed. */
export interface SetPieces {
  readonly figures: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
}

/** Plays all of them. */
export async function playSetPieces(seed: number): Promise<SetPieces> {
  const silent = await silentServer(seed);
  const down = await serverThatIsDown(seed);
  const beside = await slowBesideFast(seed);
  return {
    figures: {
      'silent.operations': silent.sent,
      'silent.sends': silent.sends,
      'down.operations': down.calls,
      'down.sends': down.sends,
      'beside.slowest': beside.slowestMs,
      'beside.slowestAlone': beside.aloneMs,
    },
    violations: [
      ...(silent.sends <= 1.1 * silent.sent + 10 && silent.sent >= 10_000 ? [] : [tooMany('a silent server', silent)]),
      ...(down.sends <= down.allowed ? [] : [tooMany('a server that is down', down)]),
      ...(beside.slowestMs <= beside.aloneMs ? [] : [slowed(beside)]),
    ],
  };
}

interface Load {
  readonly calls: number;
  /** Operations that were sent at least once. */
  readonly sent: number;
  readonly sends: number;
}

/** I13: a server takes every call and answers none; the tool may be repeated at will. */
async function silentServer(seed: number): Promise<Load> {
  const world = new World(seed, CALM);
  const instance = world.bear();
  await ready(world, instance);
  instance.connection.server.isSilent = true;
  return flood(world, instance, 10_000, 20);
}

/** I13: nothing listens. After a few faults the breaker lets one call through now and then. */
async function serverThatIsDown(seed: number): Promise<Load & { readonly allowed: number }> {
  const breaker = { failureThreshold: 5, openMs: 500, halfOpenProbes: 1 };
  const world = new World(seed, { ...CALM, breaker, maxAttempts: 1 });
  const instance = world.bear();
  await ready(world, instance);
  instance.connection.server.isUp = false;
  const calls = 5_000;
  const load = await flood(world, instance, calls, 2);
  const inFlightWhenItOpens = 64;
  return { ...load, allowed: breaker.failureThreshold + inFlightWhenItOpens + (calls * 2) / breaker.openMs + 1 };
}

/** I14: one process’s calls to a slow server, and what they cost those to a fast one. */
async function slowBesideFast(seed: number): Promise<{ readonly slowestMs: number; readonly aloneMs: number }> {
  const latency = async (withSlow: boolean): Promise<number> => {
    const world = new World(seed, CALM);
    const [slow, fast] = [world.bear(), world.bear()];
    await ready(world, slow);
    await ready(world, fast);
    slow.connection.server.isSilent = true;
    const times: number[] = [];
    for (let i = 0; i < 200; i += 1) {
      if (withSlow) fast.process.post(i * 5, () => void slow.tx.tryCallTool('put', { intent: 'slow', variant: i }));
      fast.process.post(i * 5, () => {
        const startedAt = world.loop.now;
        void fast.tx
          .tryCallTool('put', { intent: 'fast', variant: i })
          .then(() => times.push(world.loop.now - startedAt));
      });
    }
    await world.play(world.loop.now + 40_000);
    return times.length === 200 ? Math.max(...times) : Number.POSITIVE_INFINITY;
  };
  const [aloneMs, slowestMs] = [await latency(false), await latency(true)];
  return { slowestMs, aloneMs: aloneMs + CHANCE_MS };
}

/** Other calls draw from the same dice, so one message may take as much longer as messages ever do, ms. */
const CHANCE_MS = 6;

async function ready(world: World, instance: Instance): Promise<void> {
  void instance.tx.initialize();
  await world.play(world.loop.now + 50);
}

/** One call every `everyMs`, of a tool that may be repeated. */
async function flood(world: World, { tx, process }: Instance, calls: number, everyMs: number): Promise<Load> {
  for (let i = 0; i < calls; i += 1) {
    process.post(i * everyMs, () => void tx.tryCallTool('put', { intent: 'i', variant: i }, { timeoutMs: 1_000 }));
  }
  await world.play(world.loop.now + calls * everyMs + 5_000);
  const sends = world.events.filter((event) => event.what === 'send');
  return { calls, sent: new Set(sends.map(({ operationId }) => operationId)).size, sends: sends.length };
}

function tooMany(where: string, { calls, sends }: Load): Violation {
  return { id: 'I13', says: `${sends} sends for ${calls} operations against ${where}` };
}

function slowed({ slowestMs, aloneMs }: { readonly slowestMs: number; readonly aloneMs: number }): Violation {
  return { id: 'I14', says: `a call took ${slowestMs} ms beside a slow server, at most ${aloneMs} ms without it` };
}
