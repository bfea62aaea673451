// What a path can be that is no good ledger file, and what the caller is told then.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { TxErrorCode } from '@mcp-tx/core/ledger';
import { isMcpTxError } from '@mcp-tx/core/ledger';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteLedger } from '../src/sqlite.ts';
import { requestOf, resultOf } from './support/operations.ts';
import type { TemporaryFolder } from './support/temporary-file.ts';
import { temporaryFolder } from './support/temporary-file.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

function refusalOf(open: () => unknown): {
  readonly code: TxErrorCode;
  readonly message: string;
  readonly execution: string;
} {
  try {
    open();
  } catch (error) {
    if (isMcpTxError(error)) return error;
    throw error;
  }
  throw new Error('it was opened');
}

/** A closed ledger file with `count` completed operations. */
async function filledFile(count: number): Promise<string> {
  const path = folder.at('filled.db');
  await using ledger = sqliteLedger(path);
  const names = Array.from({ length: count }, (_, n) => `op ${n}`);
  const claims = await Promise.all(names.map((name) => ledger.claim(requestOf(name))));
  await Promise.all(
    claims.map((claim, n) => claim.kind === 'claimed' && ledger.settle(claim.lease, resultOf(`op ${n}`))),
  );
  return path;
}

function damage(path: string, from: number, to: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(to - from, 0xa5), 0, to - from, from);
  closeSync(file);
}

describe('a path that is no ledger file is refused at once, by name, with what to do', () => {
  test.each<[string, TxErrorCode, RegExp, () => string]>([
    ['a folder', 'LEDGER_UNAVAILABLE', /it is a folder; name a file in it/, () => folder.at('.')],
    ['in no folder', 'LEDGER_UNAVAILABLE', /does not exist; create it first/, () => folder.at('none/ledger.db')],
    ['not a database', 'LEDGER_CORRUPT', /not an SQLite database; give another path/, () => garbage()],
    ['the empty text', 'CONFIG_INVALID', /path must be the name of a file/, () => ''],
    ['with NUL in it', 'CONFIG_INVALID', /path must be the name of a file/, () => 'a\0b'],
  ])('%s', (_, code, message, path) => {
    const refusal = refusalOf(() => sqliteLedger(path()));
    expect(refusal).toMatchObject({ code, execution: 'none' });
    expect(refusal.message).toMatch(message);
  });

  function garbage(): string {
    writeFileSync(folder.at('notes.txt'), 'these are notes, not a database. '.repeat(200));
    return folder.at('notes.txt');
  }

  test('a refused file is left as it was', () => {
    const path = garbage();
    const before = statSync(path).mtimeMs;
    refusalOf(() => sqliteLedger(path));
    expect(statSync(path).mtimeMs).toBe(before);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test('options out of range', () => {
    for (const busyTimeoutMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const refusal = refusalOf(() => sqliteLedger(folder.at('x.db'), { busyTimeoutMs }));
      expect([refusal.code, refusal.message]).toEqual(['CONFIG_INVALID', expect.stringContaining('busyTimeoutMs')]);
    }
  });
});

describe('a file that cannot be written', () => {
  // The superuser may write anything, so a child process without its rights opens the file.
  test('is refused when it is read-only', async () => {
    const path = await filledFile(1);
    for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) chmodSync(path + suffix, 0o444);
    chmodSync(folder.at('.'), 0o555);
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions=mcp-tx:source', fileURLToPath(new URL('./support/open-and-say.ts', import.meta.url)), path],
      { encoding: 'utf8', ...(process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}) },
    );
    chmodSync(folder.at('.'), 0o755);
    expect(`${stdout}${stderr}`).toMatch(/^LEDGER_UNAVAILABLE .*(read-only|cannot be opened|may not open).*;/);
  });

  test('is refused when another process never lets go of its lock, after busyTimeoutMs', async () => {
    const path = await filledFile(1);
    const other = new DatabaseSync(path);
    other.exec('begin immediate');
    const started = performance.now();
    const refusal = refusalOf(() => sqliteLedger(path, { busyTimeoutMs: 150 }));
    other.close();
    expect(refusal).toMatchObject({ code: 'LEDGER_UNAVAILABLE', retryable: true });
    expect(refusal.message).toMatch(/another process holds its lock/);
    expect(performance.now() - started).toBeGreaterThan(140);
    await sqliteLedger(path).close();
  });
});

test('a disk that takes no more is said so; what was acknowledged stays, and can be read', async () => {
  const path = folder.at('full.db');
  const script = fileURLToPath(new URL('./support/fill-until-refused.ts', import.meta.url));
  // A limit on the size of files, in KiB, stands for the end of the disk.
  const command = `ulimit -f 2000; exec "$0" --conditions=mcp-tx:source "$1" "$2"`;
  const { stdout } = spawnSync('bash', ['-c', command, process.execPath, script, path], { encoding: 'utf8' });
  const { refusals, acknowledged, readable } = JSON.parse(stdout);
  expect(refusals).toEqual(Array(3).fill(expect.stringMatching(/^LEDGER_UNAVAILABLE: .*(disk failed|disk is full)/)));
  expect(acknowledged).toBeGreaterThan(50);
  expect(readable).toBe(acknowledged);
  await using ledger = sqliteLedger(path);
  expect((await ledger.stats({})).byState.sent).toBe(acknowledged);
  expect(await ledger.claim(requestOf('there is room again'))).toMatchObject({ kind: 'claimed' });
});

describe('a damaged file', () => {
  test('is refused when its first page is damaged', async () => {
    const path = await filledFile(1);
    damage(path, 100, 4_096);
    expect(refusalOf(() => sqliteLedger(path))).toMatchObject({ code: 'LEDGER_CORRUPT' });
  });

  test('says so in the call that meets the damage, and what to do', async () => {
    const path = await filledFile(2_000);
    damage(path, 16 * 4_096, statSync(path).size);
    await using ledger = sqliteLedger(path);
    const told = await Promise.allSettled(
      Array.from({ length: 200 }, (_, n) => ledger.find(requestOf(`op ${n}`).operationId)),
    );
    const refusals = told.filter((one) => one.status === 'rejected').map((one) => one.reason);
    expect(refusals.length).toBeGreaterThan(0);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({
        code: 'LEDGER_CORRUPT',
        message: expect.stringContaining('restore it from a backup'),
      });
    }
  });

  test('a record that somebody has edited into nonsense is named', async () => {
    const path = await filledFile(3);
    const other = new DatabaseSync(path);
    other.exec(
      "delete from mcp_tx_results where operation = (select id from mcp_tx_operations where idempotency_key = 'op 1')",
    );
    other.close();
    await using ledger = sqliteLedger(path);
    const { operationId } = requestOf('op 1');
    for (const call of [() => ledger.find(operationId), () => ledger.claim(requestOf('op 1')), () => ledger.list({})]) {
      await expect(call()).rejects.toMatchObject({ code: 'LEDGER_CORRUPT', operationId });
    }
    expect(await ledger.claim(requestOf('op 2'))).toMatchObject({ kind: 'replay' });
  });
});

describe('versions', () => {
  test('a file of a newer version is refused and left alone', async () => {
    const path = await filledFile(1);
    const other = new DatabaseSync(path);
    other.exec("insert into mcp_tx_migrations values (99, 'from the future', 0)");
    const refusal = refusalOf(() => sqliteLedger(path));
    expect([refusal.code, refusal.message]).toEqual(['LEDGER_VERSION', expect.stringContaining('update @mcp-tx/sql')]);
    expect(other.prepare('select max(id) as id from mcp_tx_migrations').get()).toEqual({ id: 99 });
    other.close();
  });

  test('a file that holds other tables gets ours beside them', async () => {
    const path = folder.at('app.db');
    const app = new DatabaseSync(path);
    app.exec("create table orders (id integer primary key, note text); insert into orders values (1, 'kept')");
    app.close();
    await using ledger = sqliteLedger(path);
    expect(await ledger.claim(requestOf('a'))).toMatchObject({ kind: 'claimed' });
    const again = new DatabaseSync(path);
    expect(again.prepare('select note from orders').get()).toEqual({ note: 'kept' });
    again.close();
  });

  test('an empty file becomes a ledger; opening it again applies nothing twice', async () => {
    const path = folder.at('empty.db');
    writeFileSync(path, '');
    for (let n = 0; n < 3; n += 1) await sqliteLedger(path).close();
    const eyes = new DatabaseSync(path);
    expect(eyes.prepare('select id, name from mcp_tx_migrations').all()).toEqual([{ id: 1, name: 'operations' }]);
    eyes.close();
  });
});

test('a copy of the files, taken while they are written, opens and holds what was acknowledged', async () => {
  const path = folder.at('live.db');
  await using ledger = sqliteLedger(path);
  for (let n = 0; n < 50; n += 1) {
    const claim = await ledger.claim(requestOf(`op ${n}`));
    if (claim.kind === 'claimed') await ledger.settle(claim.lease, resultOf(`op ${n}`));
  }
  mkdirSync(folder.at('copy'));
  for (const suffix of ['', '-wal']) cpSync(path + suffix, folder.at(`copy/live.db${suffix}`));
  await using copy = sqliteLedger(folder.at('copy/live.db'));
  expect((await copy.stats({})).byState.completed).toBe(50);
});

test('closing leaves one file, complete without its log', async () => {
  const path = await filledFile(10);
  expect(existsSync(`${path}-wal`)).toBe(false);
  const eyes = new DatabaseSync(path, { readOnly: true });
  expect(eyes.prepare('select count(*) as n from mcp_tx_calls where result is not null').get()).toEqual({ n: 10 });
  eyes.close();
});
