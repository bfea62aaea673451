// A client whose process is to be killed: `dying-client.ts <database> <source as JSON> <calls>`. It makes calls without keys, so that nobody
// can repeat them afterwards, and never ends by itself. With 0 calls it only looks after what it finds in its ledger, until nothing
// is in doubt or under way, and says what became of it.
import { setTimeout as sleep } from 'node:timers/promises';
import { createMcpTx } from '@mcp-tx/core';
import { http, stdio } from '@mcp-tx/core/sdk-v1';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';

const [database = '', source = '{}', calls = '0'] = process.argv.slice(2);
const server = JSON.parse(source) as { command: string; args: string[] } | { url: string };
const ledger = sqliteLedger(database);
const tx = createMcpTx({
  name: 'payments',
  server: 'url' in server ? http(server) : stdio(server),
  ledger,
  ...{ leaseMs: 700, timeoutMs: 1_000, attemptTimeoutMs: 400, settleGraceMs: 200, quietMs: 100, sweepIntervalMs: 500 },
});
await tx.initialize();
for (let n = 0; n < Number(calls); n += 1) void tx.tryCallTool('pay', { orderId: `order ${process.pid} ${n}` });
if (Number(calls) === 0) {
  const giveUpAt = Date.now() + 20_000;
  while (Date.now() < giveUpAt) {
    const { records } = await tx.listOperations({ states: ['sent', 'in_doubt', 'claimed'] });
    if (records.every(({ state, leaseUntil }) => state === 'claimed' && leaseUntil === 0)) break;
    await sleep(50);
  }
  const { records } = await tx.listOperations({ limit: 1_000 });
  const told = records.map(({ operationId, state, resolvedBy }) => ({ operationId, state, resolvedBy }));
  process.stdout.write(JSON.stringify(told), () => process.exit(0));
}
