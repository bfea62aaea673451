import { expect, it } from 'vitest';
import { McpTxError } from '../../src/index.ts';
import { problemOf, replyOf, resultOf } from '../../src/job.ts';
import type { CallMeta } from '../../src/outcome/call-result.ts';
import { toToolResult } from '../../src/outcome/call-result.ts';

const META: CallMeta = {
  ack: true,
  processed: true,
  duplicate: false,
  attempts: 1,
  requestId: 'req_1',
  operationId: 'op_1',
  guarantee: 'at-most-once',
  dedupeScope: 'store',
  durability: 'fsync',
  execution: 'done',
  recorded: true,
  fingerprinted: true,
  durationMs: 1.234,
};

it('what is not as it nearly always is survives the wire, too', () => {
  const unusual: CallMeta = {
    ...{ ...META, ack: false, processed: false, duplicate: true, execution: 'unknown', recorded: false },
    ...{ fingerprinted: false, guaranteeBy: 'server-default', resolvedBy: 'operator' },
  };
  const reply = JSON.parse(JSON.stringify(replyOf({ result: toToolResult({ content: [] }), meta: unusual })));
  expect(resultOf(reply).meta).toEqual(unusual);
});

it('a result survives the wire, with its structured view', () => {
  const result = toToolResult({ content: [{ type: 'text', text: '{"path":"a"}' }] });
  const reply = JSON.parse(JSON.stringify(replyOf({ result, meta: META })));
  expect(reply.meta).not.toHaveProperty('ack'); // as nearly always
  expect(resultOf(reply)).toEqual({ result, meta: META });
  expect(resultOf(reply).result.structured).toEqual({ path: 'a' });
});

it('a problem survives the wire as the error that it was', () => {
  const details = { execution: 'unknown', reason: 'timeout', operationId: 'op_1' } as const;
  const problem = JSON.parse(JSON.stringify(problemOf(new McpTxError('IN_DOUBT', 'it may have run', details))));
  expect(() => resultOf({ v: 1, ok: false, problem })).toThrow(
    expect.objectContaining({ code: 'IN_DOUBT', message: 'it may have run', retryable: false, ...details }),
  );
});

it.each([
  ['nothing', undefined],
  ['a text', 'done'],
  ['another version', { v: 2, ok: true, result: {}, meta: {} }],
  ['no result', { v: 1, ok: true, meta: {} }],
  ['a code that is none', { v: 1, ok: false, problem: { code: 'constructor', message: '', execution: 'none' } }],
])('%s is no reply', (_what, value) => {
  expect(() => resultOf(value)).toThrow(expect.objectContaining({ code: 'CALL_INVALID' }));
});
