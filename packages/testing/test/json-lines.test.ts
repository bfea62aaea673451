/** Proves that a log survives what a dying process leaves behind, and that real damage is not read over. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { followJsonLines, openJsonLines, readJsonLines } from '../src/effect-log/json-lines.ts';
import { temporaryLog } from '../src/faulty-server/temporary-log.ts';

interface Row {
  readonly n: number;
  readonly text?: string;
}

test('a missing file holds nothing', () => {
  expect(readJsonLines(temporaryLog('none.jsonl'))).toEqual([]);
});

test('records come back in order, whatever characters they hold', () => {
  const path = temporaryLog('order.jsonl');
  using lines = openJsonLines<Row>(path);
  const rows = [{ n: 1, text: 'line\nbreak' }, { n: 2, text: '\u2028 ü #torn' }, { n: 3 }];
  rows.slice(0, 2).forEach(lines.append);
  lines.appendQuickly({ n: 3 });
  expect(readJsonLines(path)).toEqual(rows);
});

test('a torn last line is not read, and does not swallow what is written next', () => {
  const path = temporaryLog('torn.jsonl');
  writeFileSync(path, '{"n":1}\n{"n":2,"text":{"a":1}');
  expect(readJsonLines(path)).toEqual([{ n: 1 }]);
  using lines = openJsonLines<Row>(path);
  lines.append({ n: 3 });
  expect(readJsonLines(path)).toEqual([{ n: 1 }, { n: 3 }]);
});

test('any other damage throws', () => {
  const path = temporaryLog('damaged.jsonl');
  writeFileSync(path, '{"n":1}\n{"n":\n{"n":3}\n');
  expect(() => readJsonLines(path)).toThrow('not a JSON record: {"n":');
});

test('a follower reads on where it stopped, and waits for the end of a line', () => {
  const path = temporaryLog('follow.jsonl');
  const read = followJsonLines<Row>(path);
  expect(read()).toEqual([]);
  appendFileSync(path, '{"n":1}\n{"n":');
  expect(read()).toEqual([{ n: 1 }]);
  appendFileSync(path, '2}\n');
  expect(read()).toEqual([{ n: 1 }, { n: 2 }]);
});
