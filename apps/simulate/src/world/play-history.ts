// Plays one history: faults and calls, then quiet, then a last look at what is left.
import type { OperationRecord } from '@mcp-tx/core';
import type { History } from './history.ts';
import { scheduleTroubles } from './troubles.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

const MAX_SKEW_MS = 3_000;
const LONGEST_CLOSE_MS = 4_000;

/** Plays the history of a seed. The same seed gives the same history. */
export async function playHistory(seed: number): Promise<History> {
  const world = new World(seed);
  const { plan, loop } = world;
  const workload = new Workload(world);
  for (let i = 0; i < plan.processes; i += 1) world.bear();
  workload.schedule();
  scheduleTroubles(world);
  await world.play(plan.busyMs);
  heal(world);
  const patienceMs = Math.max(...plan.timeoutMs) + plan.settleGraceMs + plan.quietMs;
  await world.play(loop.now + patienceMs + 500);
  await closeAll(world);
  const janitor = world.bear();
  void janitor.tx.initialize(); // starts its sweeper
  await world.play(loop.now + plan.leaseMs + patienceMs + 3 * plan.sweepIntervalMs + 2 * MAX_SKEW_MS);
  for (const intent of workload.intents) if (intent.key !== undefined) workload.call(intent, 0, 0, janitor);
  await world.play(loop.now + patienceMs + plan.leaseMs + 500);
  const unanswered = workload.unanswered.map((call) => `call ${call} is not answered`);
  await closeAll(world);
  const records = await allRecords(world);
  return {
    plan,
    events: world.events,
    records,
    unanswered,
    leftTimers: timersLeft(world),
    broken: world.recorder.broken,
    steps: loop.steps,
    endedAt: loop.now,
  };
}

/** The faults stop. What they broke stays broken until somebody mends it. */
function heal(world: World): void {
  world.isHealed = true;
  for (const server of world.servers) server.start();
  world.see({ what: 'healed' });
}

async function closeAll(world: World): Promise<void> {
  for (const instance of world.alive) void world.close(instance);
  await world.play(world.loop.now + LONGEST_CLOSE_MS);
}

async function allRecords(world: World): Promise<readonly OperationRecord[]> {
  const records: OperationRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.store.inside.list({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    records.push(...page.records);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return records;
}

function timersLeft(world: World): Readonly<Record<string, number>> {
  const closed = world.instances.filter(({ process, isClosed }) => isClosed && process.pendingTimers > 0);
  return Object.fromEntries(closed.map(({ process }) => [process.name, process.pendingTimers]));
}
