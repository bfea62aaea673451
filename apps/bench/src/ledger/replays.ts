// Round trips of a replay and of a new call, counted at the wire by a proxy and not by us.
import type { MeasureContext } from 'measure';
import { countRoundTrips } from './round-trips.ts';
import type { Store } from './store.ts';
import { callThrough, replayThrough } from './subject.ts';

const REPLAYS = 20;

/** The same key again, one call at a time, through a proxy that counts. */
export async function countReplays(context: MeasureContext, store: Store): Promise<void> {
  if (store.port === undefined) return;
  await using trips = await countRoundTrips(store.port);
  await using open = await store.openLedger(trips.port);
  const key = 'the one that comes back';
  const before = trips.count();
  await callThrough(open.ledger, key);
  if (trips.count() === before) throw new Error('the ledger does not go through the proxy');
  for (let n = 0; n < REPLAYS; n += 1) await replayThrough(open.ledger, key); // connects, prepares
  const warm = trips.count();
  for (let n = 0; n < REPLAYS; n += 1) await replayThrough(open.ledger, key);
  const each = (trips.count() - warm) / REPLAYS;
  const beforeCalls = trips.count();
  for (let n = 0; n < REPLAYS; n += 1) await callThrough(open.ledger, `${key} not, ${n}`);
  const eachCall = (trips.count() - beforeCalls) / REPLAYS;
  context.figure(`${store.name}.replay.roundTrips`, round(each));
  context.figure(`${store.name}.call.roundTrips`, round(eachCall));
  context.say(`  at the wire: ${round(each)} round trips for a replay, ${round(eachCall)} for a new call`);
  if (each !== 1) context.violation(`D2.${store.name}`, `a replay takes ${round(each)} round trips, not one`);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
