// Opens the ledger file at a given instant, claims one operation, and tells its parent what came of it.
import { setTimeout as wait } from 'node:timers/promises';
import { sqliteLedger } from '../../src/sqlite.ts';
import { requestOf } from './operations.ts';

const [path = '', startAt = '0', name = ''] = process.argv.slice(2);
await wait(Math.max(0, Number(startAt) - Date.now()));
try {
  const ledger = sqliteLedger(path);
  const claim = await ledger.claim(requestOf(name));
  await ledger.close();
  process.send?.(claim.kind);
} catch (error) {
  process.send?.(String(error));
}
process.disconnect();
