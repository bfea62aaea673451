/** Proves what the page makes of news of a call, and that its words claim no more than is known. */
import type { ExecuteResponse, ProblemDetails } from '@mcp-tx/core/http';
import { describe, expect, it } from 'vitest';
import type { Call, CallNews } from '../lib/call.ts';
import { afterNews, afterReload, hasEnded } from '../lib/call.ts';
import { eventsIn } from '../lib/call-stream.ts';
import { badgeOf, sayCall } from '../lib/say-call.ts';

const CHARGE = { server: 'payments', tool: 'charge', title: 'Charge', arguments: { orderId: '1' }, key: 'k' } as const;
const READ = { server: 'payments', tool: 'list_charges', title: 'List', arguments: { orderId: '1' } } as const;
const pressed = (request: Call['request']): Call => ({ number: 1, request, startedAt: 0, state: { is: 'sending' } });
const after = (request: Call['request'], ...news: readonly CallNews[]): Call =>
  news.reduce((call, one) => afterNews(call, one, 5), pressed(request));

const answer = (meta: Partial<ExecuteResponse['meta']>, result = {}): CallNews => ({
  news: 'answer',
  answer: { result, meta: { attempts: 1, duplicate: false, ...meta } as ExecuteResponse['meta'] },
});
const problem = (details: Partial<ProblemDetails>): CallNews => ({
  news: 'problem',
  problem: { title: 'It failed.', code: 'INTERNAL', execution: 'none', retryable: false, ...details } as ProblemDetails,
});

describe('a call', () => {
  it('waits when the line breaks and it has a key, and ends when it has none', () => {
    expect(after(CHARGE, { news: 'line-broken' }).state).toEqual({ is: 'waiting', why: 'line-broken' });
    expect(after(READ, { news: 'line-broken' }).state).toEqual({ is: 'broken-off' });
  });

  it('waits while somebody else drives the operation', () => {
    const call = after(CHARGE, problem({ code: 'IN_PROGRESS', retryable: true }));
    expect([call.state, hasEnded(call)]).toEqual([{ is: 'waiting', why: 'in-progress' }, false]);
  });

  it('is taken up again after a reload only with a key', () => {
    expect(afterReload(after(CHARGE, { news: 'begun' }), 9)).toMatchObject({ resumed: true, state: { is: 'sending' } });
    expect(afterReload(after(READ, { news: 'begun' }), 9)).toMatchObject({ endedAt: 9, state: { is: 'broken-off' } });
    const done = after(CHARGE, answer({}));
    expect(afterReload(done, 9)).toBe(done);
  });
});

it.each([
  [
    'Running',
    'The bank is asked.',
    after(CHARGE, { news: 'step', step: { progress: 1, message: 'The bank is asked' } }),
  ],
  ['Waiting', 'cannot do it twice', after(CHARGE, { news: 'line-broken' })],
  ['Done', 'It ran once.', after(CHARGE, answer({}))],
  ['Already done', 'Nothing ran this time', after(CHARGE, answer({ duplicate: true }))],
  ['Already done', 'Ann says so', after(CHARGE, answer({ duplicate: true, resolvedBy: 'Ann' }))],
  ['Done', 'after 2 attempts', after(READ, answer({ attempts: 2 }))],
  ['Refused', 'said no', after(CHARGE, answer({}, { isError: true }))],
  ['In doubt', 'Nobody knows whether it happened', after(CHARGE, problem({ code: 'IN_DOUBT', execution: 'unknown' }))],
  [
    'Not done',
    'Nothing was done. You can press again.',
    after(CHARGE, problem({ code: 'SERVER_BUSY', retryable: true })),
  ],
  [
    'Ran, no answer',
    'its answer cannot be used',
    after(CHARGE, problem({ code: 'RESULT_UNUSABLE', execution: 'done' })),
  ],
  ['Broken off', 'only reads', after(READ, { news: 'line-broken' })],
])('says "%s": %s', (word, words, call) => {
  expect(badgeOf(call).word).toBe(word);
  expect(sayCall(call)).toContain(words);
});

it('reads events however they are cut into pieces, and passes comments over', async () => {
  const text =
    ': begun\n\nevent: progress\ndata: {"progress":1}\n\n: still at work\n\ndata: a\ndata: ü\n\nevent: cut off';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 7, bytes.length]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size),
    );
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    const events: object[] = [];
    for await (const event of eventsIn(body)) events.push(event);
    expect(events).toEqual([
      { event: 'progress', data: '{"progress":1}' },
      { event: 'message', data: 'a\nü' },
    ]);
  }
});
