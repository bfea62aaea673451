// Round trips of a replay and of a new call, counted at the wire by a proxy and not by us.
import { startTcpProxy } from '@mcp-tx/testing/services';
import type { MeasureContext } from 'measure';
import type { Store } from './store.ts';
import { callThrough, replayThrough } from './subject.ts';

const REPLAYS = 20;

/** The same key again, one call at a time, through a proxy that counts. */
export async function countReplays(context: MeasureContext, store: Store): Promise<void> {
  if (store.port === undefined) return;
  await using proxy = await startTcpProxy(store.port);
  await using open = await store.openLedger(proxy.port);
  const key = 'the one that comes back';
  const before = proxy.roundTrips;
  await callThrough(open.ledger, key);
  if (proxy.roundTrips === before) throw new Error('the ledger does not go through the proxy');
  for (let n = 0; n < REPLAYS; n += 1) await replayThrough(open.ledger, key); // connects, prepares
  const warm = proxy.roundTrips;
  for (let n = 0; n < REPLAYS; n += 1) await replayThrough(open.ledger, key);
  const each = (proxy.roundTrips - warm) / REPLAYS;
  const beforeCalls = proxy.roundTrips;
  for (let n = 0; n < REPLAYS; n += 1) await callThrough(open.ledger, `${key} not, ${n}`);
  const eachCall = (proxy.roundTrips - beforeCalls) / REPLAYS;
  context.figure(`${store.name}.replay.roundTrips`, round(each));
  context.figure(`${store.name}.call.roundTrips`, round(eachCall));
  context.say(`  at the wire: ${round(each)} round trips for a replay, ${round(eachCall)} for a new call`);
  if (each !== 1) context.violation(`D2.${store.name}`, `a replay takes ${round(each)} round trips, not one`);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
