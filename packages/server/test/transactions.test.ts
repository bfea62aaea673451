// Tools that write through `currentCall().transaction`, with every kind of server. Effects are counted in the database itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createMcpTx } from '@mcp-tx/core';
import type { SqliteTransaction } from '@mcp-tx/sql/sqlite';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { describe, expect, it } from 'vitest';
import type { CurrentCall } from '../src/index.ts';
import { createServerTx, currentCall, withMcpTx } from '../src/index.ts';
import type { MakeServer } from './support/lines.ts';
import { blockOf, bytesOf, connect, KINDS, meta, v1McpServer, v1Server } from './support/lines.ts';
import type { ToolBody } from './support/tools.ts';
import { text } from './support/tools.ts';

const ORDER = { orderId: '42' };

/** A database with a ledger and a table of charges in it, and a server whose `pay` is `body`. */
function bank(make: MakeServer, body: (call: CurrentCall, charge: Charge) => unknown, more: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-transactions-'));
  const path = join(folder, 'bank.db');
  const ledger = sqliteLedger(path, { busyTimeoutMs: 200, transactionTimeoutMs: 500 });
  const eyes = new DatabaseSync(path);
  eyes.exec('create table charges (order_id text not null)');
  const runs = { count: 0 };
  const errors: unknown[] = [];
  const pay: ToolBody = ({ orderId }) => {
    runs.count += 1;
    const call = currentCall();
    if (call === undefined) throw new Error('a plain call');
    return body(call, (db) => {
      db.prepare('insert into charges (order_id) values (?)').run(String(orderId));
      return text({ receipt: `${call.requestId} ${runs.count}` });
    });
  };
  const options = {
    ...{ ledger, name: 'bank', scope: 'test', transactional: ['pay'] },
    onError: (error: unknown) => errors.push(error),
    ...more,
  };
  return {
    ...{ ledger, runs, errors, eyes, options },
    server: withMcpTx(make({ pay }), options),
    another: () => createServerTx(options).wrap(make({ pay })), // as another process would be
    charges: () => Number(eyes.prepare('select count(*) as n from charges').get()?.n),
    async [Symbol.asyncDispose]() {
      eyes.close();
      await ledger.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Charge = (db: SqliteTransaction) => object;

describe.each(KINDS)('%s', (_kind, make) => {
  it('[G:S8] commits effect and result together, says so, and says the same of repeats', async () => {
    await using world = bank(make, (call, charge) => call.transaction(charge));
    await using caller = await connect(world.server);
    const first = await caller.call('pay', ORDER, meta('op_a'));
    const second = await caller.call('pay', ORDER, meta('op_a', { attempt: 2 }));
    expect(bytesOf(second)).toBe(bytesOf(first));
    expect(blockOf(first)).toMatchObject({ duplicate: false, exactlyOnce: true, storedAt: expect.any(Number) });
    expect(blockOf(second)).toMatchObject({ duplicate: true, exactlyOnce: true });
    const status = await caller.ask('io.github.mcp-tx/status', { operationId: 'op_a' });
    expect(status).toMatchObject({ state: 'completed', exactlyOnce: true });
    expect(world.charges()).toBe(1);
  });

  it('[G:S8] concurrent repeats, also at another process: one effect, one answer', async () => {
    await using world = bank(make, (call, charge) => call.transaction(charge));
    await using one = await connect(world.server);
    await using other = await connect(world.another());
    const ask = async (caller: typeof one): Promise<string> => {
      for (;;) {
        const answer = await caller.call('pay', ORDER, meta('op_a')).catch((error: Error) => error);
        if (!(answer instanceof Error)) return bytesOf(answer);
        expect(blockOf(answer as never)).toMatchObject({ reason: 'in-progress' });
      }
    };
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(n % 2 === 0 ? one : other)));
    expect(new Set(answers).size).toBe(1);
    expect([world.charges(), world.runs.count]).toEqual([1, 1]);
  });

  it('[G:S8] a former owner whose lease has run out writes nothing, and hears of it', async () => {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    let heard: unknown;
    await using world = bank(
      make,
      async (call, charge) => {
        if (call.requestId === 'slow') {
          begun.resolve();
          await gate.promise;
        }
        return call.transaction(charge).catch((error: unknown) => {
          heard = error;
          throw error;
        });
      },
      { leaseMs: 60_000 },
    );
    await using slow = await connect(world.server);
    await using next = await connect(world.another());
    const late = slow.call('pay', ORDER, meta('op_a', { requestId: 'slow' })).catch((error: Error) => error);
    await begun.promise;
    world.eyes.exec('update mcp_tx_operations set lease_until = 1'); // its process was stopped for a minute
    const answer = await next.call('pay', ORDER, meta('op_a', { requestId: 'next' }));
    gate.resolve();
    const told = await late;
    expect(heard).toMatchObject({ code: 'IN_PROGRESS' });
    expect(bytesOf(told as never)).toBe(bytesOf(answer)); // what stands in the store
    expect(world.charges()).toBe(1);
  });

  it('what the store refused for the moment is not the end: nothing stands, and a repeat runs the tool', async () => {
    await using world = bank(make, (call, charge) => call.transaction(charge));
    await using caller = await connect(world.server);
    await caller.call('pay', ORDER, meta('op_a'));
    world.eyes.exec('begin immediate');
    const busy = await caller.fail('pay', ORDER, meta('op_b'));
    world.eyes.exec('rollback');
    expect(blockOf(busy)).toBeUndefined(); // neither "it ran" nor "it did not"
    expect(await caller.call('pay', ORDER, meta('op_b'))).toMatchObject({ content: expect.anything() });
    expect(world.charges()).toBe(2);
  });

  it('a cancelled call that has written nothing may be repeated', async () => {
    const begun = Promise.withResolvers<void>();
    await using world = bank(
      make,
      async (call, charge) => {
        if (call.attempt > 1) return call.transaction(charge);
        begun.resolve();
        await new Promise((resolve) => setTimeout(resolve, 100));
        throw new Error('cancelled');
      },
      { onCancel: 'cancel' },
    );
    await using caller = await connect(world.server);
    const abort = new AbortController();
    const gone = caller.call('pay', ORDER, meta('op_a'), { signal: abort.signal });
    await begun.promise;
    abort.abort();
    await expect(gone).rejects.toThrow();
    const joined = await caller.fail('pay', ORDER, meta('op_a')); // waits for the one that is cancelled
    expect(blockOf(joined)).toMatchObject({ reason: 'in-progress', processed: true });
    expect(blockOf(await caller.call('pay', ORDER, meta('op_a', { attempt: 2 })))).toMatchObject({ exactlyOnce: true });
    expect(world.charges()).toBe(1);
  });

  it('says the committed result, whatever the tool says or throws after it', async () => {
    await using world = bank(make, async (call, charge) => {
      void call.transaction(charge); // it has even forgotten to wait
      if (call.operationId === 'op_a') throw new Error('afterwards');
      return text('something else');
    });
    await using caller = await connect(world.server);
    for (const id of ['op_a', 'op_b']) {
      const answer = await caller.call('pay', ORDER, meta(id));
      expect(JSON.stringify(answer.content)).toContain('receipt');
      expect(bytesOf(await caller.call('pay', ORDER, meta(id)))).toBe(bytesOf(answer));
    }
    expect(world.charges()).toBe(2);
    expect(world.errors).toHaveLength(2);
  });

  it.each([
    ['a second transaction', (call: CurrentCall, charge: Charge) => call.transaction(charge), /transaction is over/],
    ['nothing', () => undefined, /return the tool/],
    ['a task', () => ({ task: { taskId: 't' } }), /final/],
    ['what is no JSON', () => ({ content: [1n] }), /BigInt/],
  ])('refuses %s as its end', async (what, wrong, words) => {
    const problems: unknown[] = [];
    await using world = bank(make, async (call, charge) => {
      if (what === 'a second transaction') await call.transaction(charge);
      const ended =
        what === 'a second transaction'
          ? wrong(call, charge)
          : call.transaction((db: SqliteTransaction) => {
              charge(db);
              return wrong(call, charge) as object;
            });
      await Promise.resolve(ended).catch((error: unknown) => problems.push(error));
      return text('done');
    });
    await using caller = await connect(world.server);
    await caller.call('pay', ORDER, meta('op_a'));
    expect(String(problems)).toMatch(words);
    expect(world.charges()).toBe(what === 'a second transaction' ? 1 : 0);
  });
});

const rollback = (call: CurrentCall, charge: Charge): Promise<object> =>
  call.transaction((db: SqliteTransaction) => {
    charge(db);
    throw new Error('no money');
  });

describe('a tool whose transaction throws', () => {
  it('[G:S8] has no effect; McpServer makes a result of it, which repeats get', async () => {
    await using world = bank(v1McpServer, rollback);
    await using caller = await connect(world.server);
    const first = await caller.call('pay', ORDER, meta('op_a'));
    expect(first).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('no money') }] });
    expect(bytesOf(await caller.call('pay', ORDER, meta('op_a')))).toBe(bytesOf(first));
    expect([world.charges(), world.runs.count]).toEqual([0, 1]);
  });

  it('[G:S8] has no effect; a low-level Server lets repeats know that nothing ran', async () => {
    await using world = bank(v1Server, rollback);
    await using caller = await connect(world.server);
    for (let asks = 0; asks < 2; asks += 1) {
      const told = await caller.fail('pay', ORDER, meta('op_a'));
      expect(blockOf(told)).toMatchObject({ ack: false, processed: false, reason: 'not-executed' });
      expect(told.message).toContain('no money');
    }
    expect([world.charges(), world.runs.count]).toEqual([0, 1]);
  });

  it('may try again within the call', async () => {
    await using world = bank(v1McpServer, async (call, charge) => {
      await rollback(call, charge).catch(() => undefined);
      return call.transaction(charge);
    });
    await using caller = await connect(world.server);
    expect(blockOf(await caller.call('pay', ORDER, meta('op_a')))).toMatchObject({ exactlyOnce: true });
    expect(world.charges()).toBe(1);
  });
});

it('a transaction that SQLite ended by itself leaves doubt: the record cannot vouch for it', async () => {
  await using world = bank(v1McpServer, (call, charge) =>
    call.transaction((db: SqliteTransaction) => {
      const result = charge(db);
      try {
        db.exec('create table t (id primary key); insert into t values (1); insert or rollback into t values (1)');
      } catch {
        // swallowed
      }
      return result;
    }),
  );
  await using caller = await connect(world.server);
  expect(blockOf(await caller.fail('pay', ORDER, meta('op_a')))).toMatchObject({ reason: 'in-doubt', processed: true });
  expect(world.charges()).toBe(0);
});

it('a tool that is not named has no transaction, and is told what to do', async () => {
  await using world = bank(v1McpServer, (call, charge) => call.transaction(charge), { transactional: [] });
  await using caller = await connect(world.server);
  const answer = await caller.call('pay', ORDER, meta('op_a'));
  expect(answer).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('transactional') }] });
  expect(blockOf(answer)).not.toHaveProperty('exactlyOnce');
  expect(world.charges()).toBe(0);
});

it('what a dead owner left before the tool was named is in doubt; what it left after it runs', async () => {
  await using world = bank(v1McpServer, (call, charge) => call.transaction(charge), { leaseMs: 60_000 });
  for (const [id, state] of [
    ['op_sent', 'sent'],
    ['op_claimed', 'claimed'],
  ]) {
    await using caller = await connect(world.another());
    await caller.call('pay', ORDER, meta(id as string));
    world.eyes.exec(
      `update mcp_tx_operations set state = '${state}', outcome = null, lease_until = 1, owner_token = 'dead', ended_at = null,
       attempts = ${state === 'sent' ? 1 : 0} where idempotency_key = '${id}'`,
    );
  }
  world.eyes.exec('delete from mcp_tx_results; delete from charges');
  await using caller = await connect(world.server);
  expect(blockOf(await caller.fail('pay', ORDER, meta('op_sent')))).toMatchObject({ reason: 'in-doubt' });
  expect(blockOf(await caller.call('pay', ORDER, meta('op_claimed')))).toMatchObject({ exactlyOnce: true });
  expect(world.charges()).toBe(1);
});

it('[G:S8] the engine passes that word on, also in a replay from its own ledger', async () => {
  await using world = bank(v1McpServer, (call, charge) => call.transaction(charge));
  await using caller = await connect(world.server);
  await using tx = createMcpTx({ server: caller.client });
  for (const duplicate of [false, true]) {
    const { meta: told } = await tx.callTool('pay', ORDER, { idempotencyKey: 'order:42' });
    expect(told).toMatchObject({ guarantee: 'exactly-once', duplicate, execution: 'done' });
  }
  expect(world.charges()).toBe(1);
});
