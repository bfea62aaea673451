// Which work shares a transaction, and what one bad job or a taken lock does to the others.
import { McpTxError } from '@mcp-tx/core/ledger';
import { describe, expect, test } from 'vitest';
import type { Transactor } from '../src/sqlite/group-commit.ts';
import { GroupCommit } from '../src/sqlite/group-commit.ts';

class Busy extends Error {}

/** A database that keeps a diary. `busyFor`: begins that fail; `commitFails`: the commit that fails, from 1. */
function diaryOf(options: { busyFor?: number; commitFails?: number } = {}) {
  const diary: string[] = [];
  let commits = 0;
  let busyFor = options.busyFor ?? 0;
  const transactor: Transactor = {
    begin() {
      if (busyFor > 0) {
        busyFor -= 1;
        diary.push('busy');
        throw new Busy('database is locked');
      }
      diary.push('begin');
    },
    commit() {
      commits += 1;
      if (commits === options.commitFails) throw new Error('disk I/O error');
      diary.push('commit');
    },
    rollback: () => void diary.push('rollback'),
    isBusy: (error) => error instanceof Busy,
    toLedgerError: (error) => new McpTxError('LEDGER_UNAVAILABLE', String(error), { cause: error }),
  };
  return { diary, transactor };
}

const work = (diary: string[], name: string) => (): string => {
  diary.push(name);
  return name;
};

describe('batches', () => {
  test('what arrives in one turn is committed at once, in order, each with its own answer', async () => {
    const { diary, transactor } = diaryOf();
    const group = new GroupCommit(transactor, 1_000);
    const answers = await Promise.all(['a', 'b', 'c'].map((name) => group.run(work(diary, name))));
    expect(answers).toEqual(['a', 'b', 'c']);
    expect(diary).toEqual(['begin', 'a', 'b', 'c', 'commit']);
  });

  test('nobody is answered before the commit', async () => {
    const { diary, transactor } = diaryOf();
    const group = new GroupCommit(transactor, 1_000);
    await Promise.all(['a', 'b'].map((name) => group.run(work(diary, name)).then(() => diary.push(`told ${name}`))));
    expect(diary).toEqual(['begin', 'a', 'b', 'commit', 'told a', 'told b']);
  });

  test('a lone caller waits for one turn of the event loop, which others have too', async () => {
    const { diary, transactor } = diaryOf();
    const group = new GroupCommit(transactor, 1_000);
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    for (let n = 0; n < 20; n += 1) await group.run(work(diary, 'a'));
    clearImmediate(timer);
    expect(turns).toBeGreaterThanOrEqual(19);
    expect(turns).toBeLessThanOrEqual(21);
    expect(diary.filter((entry) => entry === 'commit').length).toBe(20);
  });

  test('callers whose next steps take a few hops still share their transactions', async () => {
    const { diary, transactor } = diaryOf();
    const group = new GroupCommit(transactor, 1_000);
    const caller = async (name: string, hops: number): Promise<void> => {
      for (let n = 0; n < 10; n += 1) {
        await group.run(work(diary, name));
        for (let hop = 0; hop < hops; hop += 1) await Promise.resolve();
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, n) => caller(`${n}`, n)));
    expect(diary.filter((entry) => entry === 'commit').length).toBeLessThanOrEqual(12); // 80 jobs, 10 rounds
  });

  test('a long queue is cut into batches that do not hold the event loop for long', async () => {
    const { diary, transactor } = diaryOf();
    const group = new GroupCommit(transactor, 1_000);
    await Promise.all(Array.from({ length: 1_000 }, () => group.run(work(diary, 'x'))));
    expect(diary.filter((entry) => entry === 'commit').length).toBe(4);
  });
});

describe('a job that fails', () => {
  test('fails alone: the others of its batch are done again, each for itself', async () => {
    const { diary, transactor } = diaryOf();
    const group = new GroupCommit(transactor, 1_000);
    const told = await Promise.allSettled([
      group.run(work(diary, 'a')),
      group.run(() => {
        throw new Error('bad row');
      }),
      group.run(work(diary, 'c')),
    ]);
    expect(told.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message))).toEqual([
      'a',
      expect.stringContaining('bad row'),
      'c',
    ]);
    expect(diary).toEqual([
      'begin',
      'a',
      'rollback',
      'begin',
      'a',
      'commit',
      'begin',
      'rollback',
      'begin',
      'c',
      'commit',
    ]);
  });

  test('a commit that fails is told to its whole batch, and to nobody else', async () => {
    const { diary, transactor } = diaryOf({ commitFails: 1 });
    const group = new GroupCommit(transactor, 1_000);
    const told = await Promise.allSettled(['a', 'b'].map((name) => group.run(work(diary, name))));
    expect(told.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    expect(await group.run(work(diary, 'c'))).toBe('c');
  });
});

describe('a lock that another process holds', () => {
  test('is waited for without blocking; what arrives meanwhile rides along', async () => {
    const { diary, transactor } = diaryOf({ busyFor: 3 });
    const group = new GroupCommit(transactor, 5_000);
    const first = group.run(work(diary, 'a'));
    await new Promise((resolve) => setImmediate(resolve));
    const second = group.run(work(diary, 'b'));
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
    expect(diary.filter((entry) => entry !== 'busy')).toEqual(['begin', 'a', 'b', 'commit']);
  });

  test('is given up on after the time allowed; later work is served when the lock is free', async () => {
    const { diary, transactor } = diaryOf({ busyFor: 8 });
    const group = new GroupCommit(transactor, 0);
    for (let n = 0; n < 8; n += 1) {
      const told = group.run(work(diary, 'a'));
      await expect(told).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE', cause: expect.any(Busy) });
    }
    expect(await group.run(work(diary, 'b'))).toBe('b');
    expect(diary).not.toContain('a');
  });
});

test('idle waits for what is queued, and only for that', async () => {
  const { diary, transactor } = diaryOf({ busyFor: 2 });
  const group = new GroupCommit(transactor, 5_000);
  await group.idle();
  const told = group.run(work(diary, 'a'));
  await group.idle();
  expect(diary.at(-1)).toBe('commit');
  await told;
});
