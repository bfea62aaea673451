// Works on the ledger until it is killed. Tells its parent of each step only after the ledger has acknowledged it.
import { fileURLToPath } from 'node:url';
import { sqliteLedger } from '../../src/sqlite.ts';
import { requestOf, resultOf } from './operations.ts';

export const LEASE_MS = 1_500;

export interface Receipt {
  readonly name: string;
  readonly step: 'claimed' | 'sent' | 'settled';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await work();

async function work(): Promise<void> {
  const [path = '', prefix = '', callers = '1'] = process.argv.slice(2);
  const ledger = sqliteLedger(path);
  const tell = (receipt: Receipt): void => void process.send?.([receipt]);
  process.on('disconnect', () => process.exit());
  await Promise.all(
    Array.from({ length: Number(callers) }, async (_, caller) => {
      for (let n = 0; ; n += 1) {
        const name = `${prefix}, caller ${caller}, call ${n}`;
        const claim = await ledger.claim(requestOf(name, { state: 'claimed', leaseMs: LEASE_MS }));
        if (claim.kind !== 'claimed') throw new Error(`${name}: ${claim.kind}`);
        tell({ name, step: 'claimed' });
        if (!(await ledger.markSent(claim.lease, 1))) throw new Error(`${name}: not marked`);
        tell({ name, step: 'sent' });
        if (!(await ledger.settle(claim.lease, resultOf(name)))) throw new Error(`${name}: not settled`);
        tell({ name, step: 'settled' });
      }
    }),
  );
}
