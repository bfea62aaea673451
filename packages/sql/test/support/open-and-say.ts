// Opens the ledger file that it is given, and says what came of it.
import { isMcpTxError } from '@mcp-tx/core/ledger';
import { sqliteLedger } from '../../src/sqlite.ts';

try {
  await sqliteLedger(process.argv[2] ?? '').close();
  console.log('opened');
} catch (error) {
  console.log(isMcpTxError(error) ? `${error.code} ${error.message}` : String(error));
}
