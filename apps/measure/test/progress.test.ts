import { expect, it } from 'vitest';
import { Progress } from '../src/progress.ts';

function drawn(isTTY: boolean) {
  const written: string[] = [];
  let now = 0;
  const stream = { isTTY, write: (text: string) => written.push(text) };
  const progress = new Progress(stream, () => now);
  for (let done = 1; done <= 100; done += 1, now += 50) progress.show(done, 100, 'calls');
  return written;
}

it('writes a plain line now and then where there is no terminal, and always the last', () => {
  expect(drawn(false)).toEqual(['calls 1/100\n', 'calls 41/100\n', 'calls 81/100\n', 'calls 100/100\n']);
});

it('redraws one line on a terminal and ends it', () => {
  const written = drawn(true);
  expect(written).toHaveLength(52);
  expect(written.slice(-2)).toEqual(['\r\u001b[2Kcalls 100/100', '\n']);
  expect(written.slice(0, -1).every((text) => !text.includes('\n'))).toBe(true);
});
