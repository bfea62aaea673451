// What is there already is told in one round trip, and so is each step of a new call: counted at the wire.
import { startPostgres, startTcpProxy } from '@mcp-tx/testing/services';
import { expect, it } from 'vitest';
import { requestOf, resultOf } from './support/operations.ts';
import { connectTo, newDatabase, openLedger } from './support/remote.ts';

it('on PostgreSQL a new call takes two round trips, a replay one, also among new ones', async () => {
  await using service = await startPostgres();
  const name = await newDatabase('postgres', service);
  await using proxy = await startTcpProxy(service.port);
  const database = connectTo('postgres', proxy.port, name, 1);
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
  expect(await tripsOf(() => call('c'))).toBe(2);
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
  expect(await tripsOf(together)).toBe(1);
  expect(kinds).toEqual(['replay', 'claimed', 'conflict']);
  await ledger.close();
  await database.end();
}, 60_000);
