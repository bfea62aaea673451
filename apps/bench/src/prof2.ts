import { compare, cost } from './interleave.ts';
import { calls, echoClient, instance } from './subjects.ts';

const c = await echoClient();
const c2 = await echoClient();
const base = () => c.callTool({ name: 'echo', arguments: { text: 'hello' } });
const t = async (name: string, w: () => Promise<unknown>) => {
  const r = await compare(base, w, 10);
  console.log(name.padEnd(16), r.ratio.toFixed(3), r.addedMicros.toFixed(2));
};
await t('null', () => c2.callTool({ name: 'echo', arguments: { text: 'hello' } }));
await t('E1', calls(await instance({ ledger: false }), false));
await t('E1.memory', calls(await instance(), false));
await t('E2', calls(await instance(), true));
const r = await instance({ retentionMs: 1e6 });
const rp = () => r.callTool('echo', { text: 'hello' }, { idempotencyKey: 'order:1' });
await rp();
console.log('D1', (await cost(rp, 10)).toFixed(2));
process.exit(0);
