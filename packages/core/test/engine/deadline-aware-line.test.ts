// DESIGN 3.6: a line refuses who could not be answered in time, at once, so that nothing is sent that is too late already.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { slowly } from '../support/scripted-connection.ts';

const limits = { maxInFlight: 2, maxQueued: 100 };
const overloaded = { ok: false, error: { code: 'OVERLOADED', execution: 'none', retryable: true } };
const many = (count: number, afterMs: number) => Array.from({ length: count }, () => slowly(afterMs));

it('once the pace is known, a call whose turn would come too late is refused at once', async () => {
  const { tx, server, clock } = await instance(many(60, 50), { limits });
  const call = (timeoutMs: number) => tx.tryCallTool('pay', {}, { timeoutMs });
  const patient = Array.from({ length: 20 }, () => call(1_000)); // 20 of 50 ms, two at a time: 500 ms
  await clock.advance(210);
  const sent = server.sends.length;
  const hasty = call(100);
  const answer = await within(clock, 2, hasty);
  expect(answer).toMatchObject(overloaded);
  expect(answer).toMatchObject({ error: { message: expect.stringContaining('too late') } });
  expect(server.sends.length).toBe(sent);
  const ends = await within(clock, 1_000, Promise.all(patient));
  expect(ends.filter((end) => end.ok)).toHaveLength(20);
  expect((await tx.health()).inFlight).toBe(0);
});

it('a call whose turn comes when too little is left is refused, and the next one sent', async () => {
  const { tx, server, clock } = await instance([...many(8, 50), ...many(20, 200)], { limits });
  const call = (timeoutMs: number) => tx.tryCallTool('pay', {}, { timeoutMs });
  const first = Array.from({ length: 8 }, () => call(1_000));
  await within(clock, 300, Promise.all(first)); // the pace: two in 50 ms
  const slow = Array.from({ length: 6 }, () => call(2_000)); // the server has become four times as slow
  const late = Array.from({ length: 4 }, () => call(790));
  const patient = call(3_000);
  const ends = await within(clock, 3_000, Promise.all(late));
  expect(ends.filter((end) => !end.ok && end.error.code === 'OVERLOADED').length).toBeGreaterThan(0);
  expect(ends.filter((end) => !end.ok && end.error.execution === 'unknown')).toEqual([]);
  expect(await within(clock, 3_000, patient)).toMatchObject({ ok: true });
  await within(clock, 3_000, Promise.all(slow));
  expect(server.sends.length).toBeLessThan(8 + 6 + 4 + 1);
  expect((await tx.health()).inFlight).toBe(0);
});

it('a server that has become fast again is noticed: the first in line is never refused by a guess', async () => {
  const { tx, clock } = await instance([...many(12, 400), ...many(400, 5)], { limits });
  const call = (timeoutMs: number) => tx.tryCallTool('pay', {}, { timeoutMs });
  await within(clock, 4_000, Promise.all(Array.from({ length: 12 }, () => call(5_000)))); // very slow
  let ended = 0;
  for (let wave = 0; wave < 20; wave += 1) {
    const calls = Array.from({ length: 6 }, () => call(100));
    const ends = await within(clock, 200, Promise.all(calls));
    ended = ends.filter((end) => end.ok).length;
  }
  expect(ended).toBe(6); // in the end all of a wave are let in again
});
