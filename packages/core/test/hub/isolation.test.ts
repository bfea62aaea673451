// DESIGN 3.8, I14: what is wrong with one server is no matter of the others, though they share a hub and a ledger.
import { expect, it } from 'vitest';
import type { McpTxResult } from '../../src/index.ts';
import { memoryLedger, virtualClock } from '../../src/index.ts';
import { hubOf } from '../support/hub.ts';
import type { Fate } from '../support/scripted-connection.ts';
import { fates, ScriptedServer, slowly } from '../support/scripted-connection.ts';

const CALLS = 40;
const garbage: Fate = { runs: true, ends: { frame: 'result', rawResult: { nonsense: true } } };

/** Twenty servers: `server-0`, `server-1`, … */
function twenty(): ScriptedServer[] {
  return Array.from({ length: 20 }, () => new ScriptedServer(...Array.from({ length: CALLS }, () => slowly(7))));
}

function worldOf(servers: readonly ScriptedServer[]): ReturnType<typeof hubOf> {
  const clock = virtualClock();
  const named = Object.fromEntries(servers.map((server, n) => [`server-${n}`, server]));
  return hubOf(named, { clock, ledger: memoryLedger({ clock }) });
}

/** Calls each of the servers 40 times, a millisecond apart. What came back, and how long each call took. */
async function load({ hub, clock }: ReturnType<typeof hubOf>, names: readonly string[]): Promise<Taken> {
  const results = new Map<string, McpTxResult[]>(names.map((name) => [name, []]));
  const failures: unknown[] = [];
  for (let n = 0; n < CALLS; n += 1) {
    for (const name of names) {
      const call = hub.callTool(name, 'pay', { n }, { idempotencyKey: `order:${n}` });
      call.then((result) => results.get(name)?.push(result)).catch((error) => failures.push(error));
    }
    await clock.advance(1);
  }
  await clock.advance(20);
  const times = names.flatMap((name) => (results.get(name) ?? []).map(({ meta }) => meta.durationMs));
  return { times, failures, attempts: [...results.values()].flat().map(({ meta }) => meta.attempts) };
}

interface Taken {
  readonly times: readonly number[];
  readonly attempts: readonly number[];
  readonly failures: readonly unknown[];
}

it('[G:I14] of twenty servers one hangs, one flaps and one answers garbage: the calls to the other seventeen take not a millisecond longer', async () => {
  const healthy = Array.from({ length: 17 }, (_, n) => `server-${n}`);
  const alone = await load(worldOf(twenty()), healthy);
  expect(alone).toMatchObject({ failures: [], times: Array.from({ length: 17 * CALLS }, () => 7) });

  const servers = twenty();
  const [hung, flapping, broken] = servers.slice(17) as [ScriptedServer, ScriptedServer, ScriptedServer];
  hung.fates.splice(0, CALLS, ...Array.from({ length: 500 }, () => fates.lostRequest));
  flapping.fates.splice(
    0,
    CALLS,
    ...Array.from({ length: 500 }, (_, n) => (n % 2 === 0 ? fates.reset : fates.refused)),
  );
  broken.fates.splice(0, CALLS, ...Array.from({ length: 500 }, () => garbage));
  const world = worldOf(servers);
  const { hub } = world;
  const troubled: unknown[] = [];
  const codes = new Set<string>();
  for (let n = 0; n < 400; n += 1) {
    flapping.isUp = n % 3 !== 0;
    for (const name of ['server-17', 'server-18', 'server-19'])
      troubled.push(
        hub.tryCallTool(name, 'pay', { n }).then((outcome) => codes.add(outcome.ok ? 'ok' : outcome.error.code)),
      );
  }
  await world.clock.settle();
  expect((await hub.health()).servers['server-17']).toMatchObject({ inFlight: 64, queued: 256 }); // and no more of it
  const among = await load(world, healthy);
  expect(among).toEqual(alone);

  await world.clock.advance(2_000);
  await Promise.all(troubled); // the trouble was real, and was told as what it was
  expect([...codes]).toEqual(expect.arrayContaining(['IN_DOUBT', 'OVERLOADED', 'RESULT_UNUSABLE', 'BREAKER_OPEN']));
  const { status, servers: states } = await hub.health();
  expect(status).toBe('degraded');
  expect(healthy.map((name) => states[name]?.status)).toEqual(healthy.map(() => 'ok'));
});

it('[G:I14] a hung server keeps neither the others’ tools, nor their health, nor a broadcast from them', async () => {
  const servers = twenty();
  const world = worldOf(servers);
  const { hub, clock } = world;
  (servers[3] as ScriptedServer).fates.splice(0, CALLS, fates.lostRequest);
  const began = clock.monotonic();
  const at = new Map<string, number>();
  const broadcast = hub.broadcast('read', {}, { timeoutMs: 300 });
  for (const name of hub.servers) hub.server(name).on('call.ended', () => at.set(name, clock.monotonic() - began));
  await clock.advance(300);
  const outcomes = await broadcast;
  expect([...outcomes.keys()]).toEqual(hub.servers); // T31: every name, in order
  expect([...outcomes.values()].filter(({ ok }) => ok)).toHaveLength(19);
  expect(outcomes.get('server-3')).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', reason: 'timeout' } });
  for (const [name, ms] of at) expect([name, ms]).toEqual([name, name === 'server-3' ? 300 : 7]);
});
