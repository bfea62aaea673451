// Claims and ends that go together: each is answered for itself, whatever becomes of the others.
import type { Claim, ClaimRequest, Lease } from '@mcp-tx/core/ledger';
import type { Service } from '@mcp-tx/testing/services';
import { startMariadb, startPostgres } from '@mcp-tx/testing/services';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SqlLedger } from '../src/index.ts';
import { writeApart } from '../src/remote/batches.ts';
import type { WriteBatch } from '../src/remote/flavour.ts';
import { requestOf, resultOf } from './support/operations.ts';
import type { RemoteDatabase } from './support/remote.ts';
import { connectTo, newDatabase, openLedger } from './support/remote.ts';

const failureOf = (name: string) => ({ state: 'failed', error: { code: 'UNAUTHORIZED', message: name } }) as const;

describe.each(['postgres', 'mysql'] as const)('on %s', (kind) => {
  let service: Service;
  let name: string;
  let database: RemoteDatabase;
  let ledger: SqlLedger;
  beforeAll(async () => {
    service = await (kind === 'postgres' ? startPostgres : startMariadb)();
    name = await newDatabase(kind, service);
    database = connectTo(kind, service.port, name);
    ledger = openLedger(database);
    await ledger.stats({});
  }, 60_000);
  afterAll(async () => {
    await ledger.close();
    await database.end();
    await service.stop();
  });

  const leaseOf = (claim: Claim | undefined) => {
    if (claim?.kind !== 'claimed') throw new Error(claim?.kind);
    return claim.lease;
  };
  const claimAll = (names: readonly string[]) => Promise.all(names.map((one) => ledger.claim(requestOf(one))));

  it('a claim that the server refuses takes no other with it', async () => {
    const bad = { ...requestOf('bad'), retentionMs: 2 ** 70 }; // fits in no column
    const claims = await Promise.allSettled(
      [requestOf('good 1'), bad, requestOf('good 2')].map((one) => ledger.claim(one)),
    );
    expect(claims.map((claim) => (claim.status === 'fulfilled' ? claim.value.kind : 'refused'))).toEqual([
      ...['claimed', 'refused', 'claimed'],
    ]);
  });

  it('the same operation twice in a batch is claimed once', async () => {
    const [one, other] = [{ ownerToken: 'one' }, { ownerToken: 'other' }].map((more) => requestOf('twice', more));
    const claims = await Promise.all([ledger.claim(one as never), ledger.claim(other as never)]);
    expect(claims.map((claim) => claim.kind).sort()).toEqual(['busy', 'claimed']);
  });

  it('an end whose lease is lost is told so, and the others end; small results, large ones, failures and doubts', async () => {
    const names = ['lost', 'small', 'large', 'huge', 'failed', 'doubt', 'again'];
    const leases = (await claimAll(names)).map(leaseOf);
    const large = (length: number) => ({ state: 'completed', result: JSON.stringify('é'.repeat(length)) }) as const;
    const outcomes = [
      resultOf('lost'),
      resultOf('small'),
      large(60_000),
      large(700_000),
      { state: 'failed', error: { code: 'TOOL_ERROR', message: 'no' } },
      { state: 'in_doubt', reason: 'timeout' },
      resultOf('again'),
    ] as const;
    await ledger.settle(leases[6] as never, outcomes[6]); // its answer was lost
    const held = leases.map((lease, n) => (n === 0 ? { ...lease, fence: 7 } : lease));
    const ended = await Promise.all(held.map((lease, n) => ledger.settle(lease, outcomes[n] as never)));
    expect(ended).toEqual([false, true, true, true, true, true, true]);
    const found = await Promise.all(leases.map(({ operationId }) => ledger.find(operationId)));
    expect(found.map((record) => record?.outcome)).toEqual([undefined, ...outcomes.slice(1)]);
    expect(found.map((record) => record?.state)).toEqual([
      ...['sent', 'completed', 'completed', 'completed', 'failed', 'in_doubt', 'completed'],
    ]);
  });

  it.each([
    { which: 'alike', more: {}, end: resultOf, bad: {} },
    { which: 'of different kinds', more: { mode: 'effectively-once', deadlineInMs: 5_000 }, end: failureOf, bad: {} },
    { which: 'one of them refused', more: {}, end: resultOf, bad: { retentionMs: 2 ** 70 } },
  ] as const)('claims and ends that come together, $which: each is answered for itself', async (row) => {
    const { which, more, end, bad } = row;
    const own = (name: string): string => `${which}: ${name}`;
    const [ended, lost, there] = ['ended', 'lost', 'there'].map(own) as [string, string, string];
    const [first, second, third] = (await claimAll([ended, lost, there])).map(leaseOf);
    const answers = await Promise.all([
      ledger.claim(requestOf(own('new'))),
      ledger.settle(first as Lease, resultOf(ended)),
      ledger.claim(requestOf(there, { ownerToken: 'somebody else' })),
      ledger.settle({ ...(second as Lease), fence: 7 }, resultOf(lost)),
      ledger.claim(requestOf(own('other'), more)),
      ledger.settle(third as Lease, end(there)),
      Promise.resolve(ledger.claim({ ...requestOf(own('bad')), ...bad })).catch(() => 'refused'),
    ]);
    const kinds = answers.map((answer) => (typeof answer === 'object' ? answer.kind : answer));
    expect([...kinds.slice(0, 2), ...kinds.slice(3)]).toEqual([
      ...['claimed', true, false, 'claimed', true],
      'retentionMs' in bad ? 'refused' : 'claimed',
    ]);
    expect(kinds[2]).toMatch(/^(?:busy|replay)$/); // its end and the claim of somebody else come at once
    const found = await Promise.all([ended, lost, there].map((name) => ledger.find(requestOf(name).operationId)));
    expect(found.map((record) => record?.outcome)).toEqual([resultOf(ended), undefined, end(there)]);
    for (const n of [0, 4]) {
      const name = own(n === 0 ? 'new' : 'other');
      expect(await ledger.settle(leaseOf(answers[n] as Claim), resultOf(name))).toBe(true);
    }
  });

  it('large arguments come back as they were', async () => {
    const sizes = [10, 50_000, 50_000, 400_000];
    const requests = sizes.map((size, n) =>
      requestOf(`arguments ${n}`, { arguments: JSON.stringify('ü'.repeat(size)) }),
    );
    const claims = await Promise.all(requests.map((one) => ledger.claim(one)));
    expect(claims.map((claim) => claim.kind)).toEqual(Array(4).fill('claimed'));
    const found = await Promise.all(requests.map(({ operationId }) => ledger.find(operationId)));
    expect(found.map((record) => record?.arguments)).toEqual(requests.map((request) => request.arguments));
  });

  it('of two processes that claim the same hundred at once, each operation has one owner, who can end it', async () => {
    const other = connectTo(kind, service.port, name);
    const rival = openLedger(other);
    const names = Array.from({ length: 100 }, (_, n) => `raced ${n}`);
    const race = (by: SqlLedger, ownerToken: string, order: readonly string[]) =>
      Promise.all(order.map((one) => by.claim(requestOf(one, { ownerToken }))));
    const claims = await Promise.all([race(ledger, 'one', names), race(rival, 'other', names.toReversed())]);
    claims[1]?.reverse();
    const owners = names.map((_, n) => claims.map((all) => all[n]?.kind).sort());
    expect(owners).toEqual(names.map(() => ['busy', 'claimed']));
    const ended = await Promise.all(
      claims.flatMap((all, by) =>
        all.flatMap((claim, n) =>
          claim.kind === 'claimed' ? [(by === 0 ? ledger : rival).settle(claim.lease, resultOf(names[n] ?? ''))] : [],
        ),
      ),
    );
    expect(ended).toEqual(names.map(() => true));
    const replays = await claimAll(names);
    for (const [n, claim] of replays.entries())
      expect(claim).toMatchObject({ kind: 'replay', record: { outcome: resultOf(names[n] ?? '') } });
    await rival.close();
    await other.end();
  }, 30_000);
});

it('PostgreSQL gets claims and ends that come together in one statement, whether they are alike or not', async () => {
  const service = await startPostgres();
  const database = connectTo('postgres', service.port, await newDatabase('postgres', service));
  const query = vi.spyOn(database.options.pool as unknown as { query: (statement: unknown) => unknown }, 'query');
  const ledger = openLedger(database);
  await ledger.stats({});
  for (const [round, server] of ['one', 'one', 'two'].entries()) {
    const held = await Promise.all([1, 2, 3].map((n) => ledger.claim(requestOf(`held ${round}.${n}`))));
    query.mockClear();
    const [left, right] = ['left', server].map((name) => requestOf(`${name} ${round}`, { serverName: name }));
    const answers = await Promise.all([
      ...held.map((claim, n) => {
        if (claim.kind !== 'claimed') throw new Error(claim.kind);
        return ledger.settle(claim.lease, n === 0 && round > 0 ? failureOf('no') : resultOf('yes'));
      }),
      ...[left, right].map((request) => ledger.claim(request as ClaimRequest)),
    ]);
    expect(answers).toMatchObject([true, true, true, { kind: 'claimed' }, { kind: 'claimed' }]);
    expect(query).toHaveBeenCalledTimes(1);
  }
  await ledger.close();
  await database.end();
  await service.stop();
}, 60_000);

it('claims and ends in statements of their own: where only the ones fail, the others are answered; where both fail, all are told', async () => {
  const [claims, ends] = [[{}], [{}]] as unknown as Parameters<WriteBatch>;
  const written = [{ key: new Uint8Array(16), id: 1 }];
  const parts = { claim: async () => written, end: async () => [7] };
  const failed = async () => Promise.reject(new Error('deadlock'));
  expect(await writeApart(parts, claims, ends)).toEqual({ written, ended: [7] });
  expect(await writeApart({ ...parts, end: failed }, claims, ends)).toEqual({ written, ended: [] });
  expect(await writeApart({ ...parts, claim: failed }, claims, ends)).toEqual({ written: [], ended: [7] });
  await expect(writeApart({ claim: failed, end: failed }, claims, ends)).rejects.toThrow('deadlock');
  await expect(writeApart({ ...parts, claim: failed }, claims, [])).rejects.toThrow('deadlock');
  await expect(writeApart({ ...parts, end: failed }, [], ends)).rejects.toThrow('deadlock');
});
