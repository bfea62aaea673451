// Writes to the ledger until it is refused; says how often, by what, and how much had been acknowledged before.
import { isMcpTxError } from '@mcp-tx/core/ledger';
import { sqliteLedger } from '../../src/sqlite.ts';
import { requestOf } from './operations.ts';

const ledger = sqliteLedger(process.argv[2] ?? '');
const refusals: string[] = [];
let acknowledged = 0;
for (let n = 0; refusals.length < 3; n += 1) {
  try {
    await ledger.claim(requestOf(`op ${n}`, { arguments: 'x'.repeat(10_000) }));
    acknowledged += 1;
  } catch (error) {
    refusals.push(isMcpTxError(error) ? `${error.code}: ${error.message}` : String(error));
  }
}
const readable = (await ledger.list({ limit: 1_000 })).records.length;
console.log(JSON.stringify({ refusals, acknowledged, readable }));
