import { calls, instance, raw } from './subjects.ts';
const mode = process.argv[2];
const work = mode === 'raw' ? await raw() : calls(await instance(mode === 'E1' ? { ledger: false } : {}), mode === 'E2');
for (let n = 0; n < 300000; n++) await work();
process.exit(0);
