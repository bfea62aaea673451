// One pass of the engine bench, in a process of its own: prints its figures as one line of JSON.
import { getEventListeners, setMaxListeners } from 'node:events';
import { keyedFloor } from './floor.ts';
import type { Work } from './interleave.ts';
import { compare, cost } from './interleave.ts';
import { withCockatiel, withPRetry } from './peers.ts';
import { calls, echoClient, instance, raw } from './subjects.ts';

const rounds = Number(process.argv[2]);
const figures: Record<string, number> = {};

async function ratio(id: string, contender: Work): Promise<void> {
  const { ratio, addedMicros } = await compare(base, contender, rounds);
  figures[id] = ratio;
  figures[`${id}.addedMicros`] = addedMicros;
}

const base = await raw();
await ratio('null', await raw());
await ratio('E1', calls(await instance({ ledger: false }), false));
await ratio('E1.memory', calls(await instance(), false));
await ratio('E2.key', calls(await instance(), true));
await ratio('E2.floor', await keyedFloor());
figures['E2.overFloor'] = (figures['E2.key'] as number) / (figures['E2.floor'] as number);
await ratio('E2.fingerprintOff', calls(await instance({ tools: { echo: { fingerprint: 'off' } } }), true));

await ratio('peer.pRetry', await withPRetry());
await ratio('peer.cockatiel', await withCockatiel());

const replaying = await instance({ retentionMs: 3_600_000 }); // its one key must outlive the rounds
const replay = (): Promise<unknown> => replaying.callTool('echo', { text: 'hello' }, { idempotencyKey: 'order:1' });
await replay();
figures['D1.key'] = await cost(replay, rounds);

const shared = new AbortController();
setMaxListeners(0, shared.signal);
const sharing = await instance({ ledger: false });
const withSignal = (): Promise<unknown> => sharing.callTool('echo', { text: 'hello' }, { signal: shared.signal });
const early = await cost(withSignal, 3);
for (let n = 0; n < 10_000; n += 1) await withSignal();
figures['E6.growth'] = (await cost(withSignal, 3)) / early;
figures['E6.listenersLeft'] = getEventListeners(shared.signal, 'abort').length;

const rawShared = new AbortController();
setMaxListeners(0, rawShared.signal);
const client = await echoClient();
for (let n = 0; n < 13_000; n += 1) {
  await client.callTool({ name: 'echo', arguments: { text: 'hello' } }, undefined, { signal: rawShared.signal });
}
const rawWithSignal = (): Promise<unknown> =>
  client.callTool({ name: 'echo', arguments: { text: 'hello' } }, undefined, { signal: rawShared.signal });
figures['E6.rawOverOurs'] = (await cost(rawWithSignal, 1)) / (await cost(withSignal, 3));

console.log(JSON.stringify(figures));
process.exit(0);
