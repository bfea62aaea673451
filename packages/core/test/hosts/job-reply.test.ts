import { expect, it } from 'vitest';
import { McpTxError } from '../../src/index.ts';
import { problemOf, replyOf, resultOf } from '../../src/job.ts';
import { toToolResult } from '../../src/outcome/call-result.ts';

it('a result survives the wire, with its structured view', () => {
  const result = toToolResult({ content: [{ type: 'text', text: '{"path":"a"}' }] });
  const reply = JSON.parse(JSON.stringify(replyOf({ result, meta: { attempts: 1 } as never })));
  expect(resultOf(reply)).toEqual({ result, meta: { attempts: 1 } });
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
