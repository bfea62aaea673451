// The queries that come often must find what they look for through a small index, however long the table is.
import { DatabaseSync } from 'node:sqlite';
import type { ListQuery } from '@mcp-tx/core/ledger';
import { Kysely } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rowsOf } from '../src/operations/reader.ts';
import type { StatementName } from '../src/operations/statements.ts';
import { SQL } from '../src/operations/statements.ts';
import { nodeSqliteDialect } from '../src/sqlite/sqlite-dialect.ts';
import { sqliteCodec } from '../src/sqlite/statements.ts';
import type { LedgerTables } from '../src/sqlite.ts';
import { sqliteLedger } from '../src/sqlite.ts';
import type { TemporaryFolder } from './support/temporary-file.ts';
import { temporaryFolder } from './support/temporary-file.ts';

let folder: TemporaryFolder;
let database: DatabaseSync;
beforeEach(async () => {
  folder = await temporaryFolder();
  await sqliteLedger(folder.at('ledger.db')).close();
  database = new DatabaseSync(folder.at('ledger.db'));
});
afterEach(async () => {
  database.close();
  await folder.remove();
});

function planOf(text: string): string {
  const rows = database.prepare(`explain query plan ${text}`).all();
  return rows.map((row) => String(row.detail)).join('; ');
}

describe('statements', () => {
  test.each<[StatementName, RegExp]>([
    ['byKey', /SEARCH mcp_tx_operations USING INDEX sqlite_autoindex_mcp_tx_operations_1 \(operation_key=\?\)/],
    ['byId', /SEARCH mcp_tx_operations USING INTEGER PRIMARY KEY/],
    ['settle', /SEARCH mcp_tx_operations USING INTEGER PRIMARY KEY/],
    ['markSent', /SEARCH mcp_tx_operations USING INTEGER PRIMARY KEY/],
    ['renew', /SEARCH mcp_tx_operations USING INTEGER PRIMARY KEY/],
    ['runOut', /SEARCH mcp_tx_operations USING INDEX mcp_tx_leases/],
    ['runOutOf', /SEARCH mcp_tx_operations USING INDEX mcp_tx_leases/],
    ['expired', /SEARCH mcp_tx_operations USING INDEX mcp_tx_expiry/],
    ['repeated', /SEARCH mcp_tx_operations USING INDEX mcp_tx_quarantine/],
    ['bury', /SEARCH mcp_tx_operations USING INTEGER PRIMARY KEY/],
    ['removeResults', /SEARCH mcp_tx_results USING INTEGER PRIMARY KEY/],
    ['remove', /SEARCH mcp_tx_operations USING INTEGER PRIMARY KEY/],
    ['removeAudits', /SEARCH mcp_tx_audit USING INDEX mcp_tx_audit_of/],
  ])('%s', (name, plan) => {
    expect(planOf(SQL[name])).toMatch(plan);
    expect(planOf(SQL[name])).not.toMatch(/SCAN/);
  });
});

describe('lists', () => {
  test.each<[ListQuery, RegExp]>([
    [{ states: ['in_doubt'] }, /^SEARCH mcp_tx_operations USING INDEX mcp_tx_in_doubt/],
    [{ contradicted: true }, /^SEARCH mcp_tx_operations USING INDEX mcp_tx_contradicted/],
    [{ cursor: '5' }, /^SEARCH mcp_tx_operations USING INTEGER PRIMARY KEY/],
  ])('%j', (query, plan) => {
    const db = new Kysely<LedgerTables>({ dialect: nodeSqliteDialect(() => database) });
    const { sql } = rowsOf(db, sqliteCodec, query, 100).compile();
    expect(planOf(sql)).toMatch(plan);
    expect(planOf(sql)).not.toMatch(/TEMP B-TREE/);
  });
});
