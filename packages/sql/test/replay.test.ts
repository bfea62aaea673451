// What is there already is told in one round trip, also among new calls: counted at the wire.
import { startMariadb, startPostgres, startTcpProxy } from '@mcp-tx/testing/services';
import { expect, it } from 'vitest';
import { requestOf, resultOf } from './support/operations.ts';
import { connectTo, newDatabase, openLedger } from './support/remote.ts';

const EACH = [
  { kind: 'postgres', start: startPostgres, ofCall: 2, ofBatch: 1 },
  { kind: 'mysql', start: startMariadb, ofCall: 3, ofBatch: 2 }, // it looks before it inserts
] as const;

it.each(EACH)(
  'on $kind a new call takes $ofCall round trips, a replay one',
  async ({ kind, start, ofCall, ofBatch }) => {
    await using service = await start();
    const name = await newDatabase(kind, service);
    await using proxy = await startTcpProxy(service.port);
    const database = connectTo(kind, proxy.port, name, 1);
    const ledger = openLedger(database);
    const call = async (key: string): Promise<void> => {
      const claim = await ledger.claim(requestOf(key));
      if (claim.kind !== 'claimed') throw new Error(claim.kind);
      expect(await ledger.settle(claim.lease, resultOf(key))).toBe(true);
    };
    const tripsOf = async (work: () => Promise<unknown>): Promise<number> => {
      const before = proxy.roundTrips;
      await work();
      return proxy.roundTrips - before;
    };
    await call('a');
    await call('b');
    expect(await tripsOf(() => call('c'))).toBe(ofCall);
    const replay = async (): Promise<void> => {
      const claim = await ledger.claim(requestOf('a', { ownerToken: 'another one' }));
      expect(claim).toMatchObject({ kind: 'replay', record: { outcome: resultOf('a'), idempotencyKey: 'a' } });
    };
    expect(await tripsOf(replay)).toBe(1);
    await Promise.all([replay(), ledger.claim(requestOf('d')), ledger.claim(requestOf('e'))]); // prepares
    const both = [
      requestOf('b', { ownerToken: 'another one' }),
      requestOf('f'),
      requestOf('a', { fingerprint: 'other' }),
    ];
    const kinds: string[] = [];
    const together = async (): Promise<void> => {
      for (const { kind } of await Promise.all(both.map((request) => ledger.claim(request)))) kinds.push(kind);
    };
    expect(await tripsOf(together)).toBe(ofBatch);
    expect(kinds).toEqual(['replay', 'claimed', 'conflict']);
    await ledger.close();
    await database.end();
  },
  60_000,
);
