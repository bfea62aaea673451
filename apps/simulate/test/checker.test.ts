// The checker against histories made by hand: a sound one for each promise, and one that breaks just that promise.
import { describe, expect, it } from 'vitest';
import { check } from '../src/checker/check.ts';
import type { History, Seen } from '../src/world/history.ts';
import { answer, call, effect, end, history, refusal, send, store } from './support.ts';

/** A call that went well. */
const well: readonly Seen[] = [
  call(0, 0),
  store(1, 'claim', 'claimed'),
  send(2, 1),
  effect(3, 1),
  end(4, 1, 'result'),
  store(5, 'settle', 'true'),
  answer(6, 0),
];

const done = [{}];
const doubt = [{ state: 'in_doubt', outcome: { state: 'in_doubt', reason: 'timeout' } }] as const;
const failed = [{ state: 'failed', outcome: { state: 'failed', error: { code: 'REJECTED', message: '' } } }] as const;

function idsIn(seen: History): readonly string[] {
  return [...new Set(check(seen).map(({ id }) => id))];
}

it('finds nothing in a history where all went well', () => {
  expect(check(history(well, done))).toEqual([]);
});

describe.each<{ readonly id: string; readonly what: string; readonly bad: History; readonly sound: History }>([
  {
    id: 'I1',
    what: 'two effects of one operation',
    bad: history([...well, send(10, 2), effect(11, 2)], done),
    sound: history([...well, send(10, 2), end(11, 2, 'nothing-ran')], done, { server: 'aware' }),
  },
  {
    id: 'I1',
    what: 'a blind repeat, though luck would have it that nothing ran twice',
    bad: history(
      [
        call(0, 0),
        store(1, 'claim', 'claimed'),
        send(2, 1),
        end(3, 1, 'nothing'),
        send(4, 2),
        effect(5, 2),
        answer(6, 0),
      ],
      done,
    ),
    sound: history(
      [
        call(0, 0),
        store(1, 'claim', 'claimed'),
        send(2, 1),
        end(3, 1, 'nothing-ran'),
        send(4, 2),
        effect(5, 2),
        answer(6, 0),
      ],
      done,
    ),
  },
  {
    id: 'I1',
    what: 'an unsafe send that was cancelled, and nobody had asked for it',
    bad: history([...well, { what: 'cancel', at: 7, message: 1 }], done),
    sound: history([call(0, 0, { onAbort: 'cancel' }), ...well.slice(1), { what: 'cancel', at: 7, message: 1 }], done),
  },
  {
    id: 'I2',
    what: 'two answers of one operation',
    bad: history(
      [...well, call(10, 1), answer(11, 1, { result: '"pay i1 v0 run 2"' })],
      [{ outcome: undefined as never }],
    ),
    sound: history([...well, call(10, 1), answer(11, 1, { duplicate: true })], done),
  },
  {
    id: 'I3',
    what: 'an effect that no record knows of',
    bad: history([call(0, 0), send(2, 1), effect(3, 1)]),
    sound: history([call(0, 0), send(2, 1), effect(3, 1)], doubt),
  },
  {
    id: 'I3',
    what: 'an answer that came in time and was dropped',
    bad: history([...well.slice(0, 5), refusal(1_000, 0, 'IN_DOUBT', 'unknown')], doubt),
    sound: history([...well.slice(0, 4), end(1_600, 1, 'result'), refusal(1_000, 0, 'IN_DOUBT', 'unknown')], doubt),
  },
  {
    id: 'I4',
    what: 'a write with an old fence',
    bad: history(
      [
        ...well,
        store(7, 'claim', 'taken-over', { fence: 2, ownerToken: 'req_1', storeAt: 9_000 }),
        store(8, 'settle', 'true'),
      ],
      done,
    ),
    sound: history(
      [
        ...well,
        store(7, 'claim', 'taken-over', { fence: 2, ownerToken: 'req_1', storeAt: 9_000 }),
        store(8, 'settle', 'false'),
      ],
      done,
    ),
  },
  {
    id: 'I4',
    what: 'a success that the store does not have',
    bad: history(well, [{ state: 'claimed', leaseUntil: 0, outcome: undefined as never }]),
    sound: history([...well.slice(0, 6), answer(6, 0, { recorded: false })], done),
  },
  {
    id: 'I4',
    what: 'a send after the lease',
    bad: history(
      [
        call(0, 0, { timeoutMs: 5_000 }),
        store(1, 'claim', 'claimed'),
        send(1_500, 1),
        effect(1_501, 1),
        answer(1_502, 0),
      ],
      done,
    ),
    sound: history(
      [
        call(0, 0, { timeoutMs: 5_000 }),
        store(1, 'claim', 'claimed'),
        store(900, 'renewAll', 'true'),
        send(1_500, 1),
        effect(1_501, 1),
        answer(1_502, 0),
      ],
      done,
    ),
  },
  {
    id: 'I5',
    what: 'an answer after the deadline',
    bad: history([call(0, 0), refusal(1_001, 0, 'DEADLINE_EXCEEDED', 'none')]),
    sound: history([
      call(0, 0),
      { what: 'pause', at: 900, process: 'p1', until: 1_500 },
      refusal(1_500, 0, 'DEADLINE_EXCEEDED', 'none'),
    ]),
  },
  {
    id: 'I6',
    what: 'more sends than allowed',
    bad: history(
      [
        ...well.slice(0, 2),
        send(2, 1),
        end(3, 1, 'nothing-ran'),
        send(4, 2),
        end(5, 2, 'nothing-ran'),
        send(6, 3),
        effect(7, 3),
        answer(8, 0),
      ],
      done,
    ),
    sound: history(
      [
        ...well.slice(0, 2),
        send(2, 1),
        end(3, 1, 'nothing-ran'),
        send(4, 2),
        end(5, 2, 'nothing-ran'),
        store(6, 'release', 'true'),
        send(6, 3),
        effect(7, 3),
        answer(8, 0),
      ],
      done,
    ),
  },
  {
    id: 'I7',
    what: 'somebody else’s result',
    bad: history([...well, call(10, 1, { variant: 1 }), answer(11, 1)], done),
    sound: history([...well, call(10, 1, { variant: 1 }), refusal(11, 1, 'KEY_CONFLICT', 'none')], done),
  },
  {
    id: 'I8',
    what: 'a failure that had an effect',
    bad: history([...well.slice(0, 4), refusal(6, 0, 'REJECTED', 'none', true)], failed),
    sound: history([...well.slice(0, 3), end(4, 1, 'nothing-ran'), refusal(6, 0, 'REJECTED', 'none', true)], failed),
  },
  {
    id: 'I9',
    what: 'doubt that ended by itself',
    bad: history([...well.slice(0, 6), refusal(6, 0, 'IN_DOUBT', 'unknown', true)], done),
    sound: history(
      [
        ...well.slice(0, 6),
        refusal(6, 0, 'IN_DOUBT', 'unknown', true),
        { what: 'resolve', at: 7, operationId: 'op_1', outcome: 'completed', by: 'probe' },
      ],
      done,
    ),
  },
  {
    id: 'I10',
    what: 'an operation that never ends',
    bad: history(
      [call(0, 0), store(1, 'claim', 'claimed'), send(2, 1)],
      [{ state: 'sent', outcome: undefined as never }],
    ),
    sound: history([call(0, 0), store(1, 'claim', 'claimed'), send(2, 1)], doubt),
  },
  {
    id: 'I11',
    what: 'two owners at once',
    bad: history(
      [...well.slice(0, 3), store(3, 'claim', 'taken-over', { fence: 2, ownerToken: 'req_1', process: 'p2' })],
      doubt,
    ),
    sound: history(
      [...well.slice(0, 3), store(1_002, 'claim', 'taken-over', { fence: 2, ownerToken: 'req_1', process: 'p2' })],
      doubt,
    ),
  },
  {
    id: 'I11',
    what: 'an abort that was somebody else’s',
    bad: history([call(0, 0), refusal(5, 0, 'ABORTED', 'none')]),
    sound: history([call(0, 0), { what: 'abort', at: 5, call: 0 }, refusal(5, 0, 'ABORTED', 'none')]),
  },
  {
    id: 'I12',
    what: 'a timer left behind',
    bad: { ...history([]), leftTimers: { p1: 1 } },
    sound: history([]),
  },
])('$id: $what', ({ id, bad, sound }) => {
  it('is noticed', () => expect(idsIn(bad)).toContain(id));
  it('is not seen where it is not', () => expect(idsIn(sound)).not.toContain(id));
});

it('excuses what follows from writes that the store itself forgot, but not what a server that dedupes does', () => {
  const twice = [...well, { what: 'amnesia', at: 7, operationIds: ['op_1'] } as const, send(10, 2), effect(11, 2)];
  expect(idsIn(history(twice, done))).toEqual([]);
  expect(idsIn(history(twice, done, { server: 'aware' }))).toEqual(['I1']);
});

it('holds a call without a key back while an equal one is in doubt', () => {
  const keyless = { intent: { name: 'i1', tool: 'pay', scope: 'a', key: undefined }, timeoutMs: 100 } as const;
  const repeat = [
    call(0, 0, { ...keyless, op: 'call0' }),
    store(1, 'claim', 'claimed'),
    send(2, 1, { op: 'call0' }),
    refusal(100, 0, 'IN_DOUBT', 'unknown'),
    call(200, 1, { ...keyless, op: 'call1' }),
    send(202, 2, { op: 'call1', operationId: 'op_2', requestId: 'req_1' }),
  ];
  expect(idsIn(history(repeat, doubt, { quarantineMs: 3_000 }))).toContain('I1');
  expect(idsIn(history(repeat, doubt, { quarantineMs: 0 }))).not.toContain('I1');
});
