import { expect, it } from 'vitest';
import { createToolJob, parseToolJob, readToolJob } from '../../src/job.ts';

const job = { v: 1, tool: 'pay', arguments: { orderId: 'a' }, idempotencyKey: 'order:a' };

it('a producer makes an envelope that a worker reads as it was', () => {
  const made = createToolJob('pay', { orderId: 'a' }, { deadlineAt: new Date(7), meta: { traceparent: '00-a' } });
  expect(made).toEqual({ ...job, idempotencyKey: made.idempotencyKey, deadlineAt: 7, meta: { traceparent: '00-a' } });
  expect(readToolJob(JSON.stringify(made))).toEqual(made);
  expect(readToolJob(Buffer.from(JSON.stringify(made)))).toEqual(made);
});

it('a job without a key gets one of its own', () => {
  const keys = Array.from({ length: 100 }, () => createToolJob('pay').idempotencyKey);
  expect(new Set(keys).size).toBe(100);
});

it('a message without a key is named after its delivery', () => {
  const { idempotencyKey: _, ...keyless } = job;
  expect(readToolJob(JSON.stringify(keyless), { fallbackKey: 'message-7' }).idempotencyKey).toBe('message-7');
  expect(() => parseToolJob(keyless)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
});

it('JSON of another form is put into that of the envelope, and checked like any other', () => {
  const envelopeOf = (value: unknown) => ({ v: 1, ...(value as { readonly call: object }).call });
  expect(readToolJob('{"call":{"tool":"pay","idempotencyKey":"k"}}', { envelopeOf })).toMatchObject({ tool: 'pay' });
  const refused = expect.objectContaining({ code: 'CALL_INVALID' });
  expect(() => readToolJob('{"call":{"tool":"pay","root":1}}', { envelopeOf })).toThrow(refused);
});

it.each([
  ['not JSON', '{', /not JSON/],
  ['two members of one name', '{"v":1,"v":1}', /v/],
  ['nesting without end', `{"v":1,"arguments":${'['.repeat(100)}${']'.repeat(100)}}`, /nested/],
  ['no UTF-8', Buffer.from([0xff, 0xfe]), /UTF-8/],
  ['more than is read', JSON.stringify({ ...job, arguments: { x: 'x'.repeat(2_000) } }), /1000 are read/],
  ['much meta', JSON.stringify({ ...job, meta: { x: ['x'.repeat(500)] }, tool: 7 }), /tool/],
])('%s is refused', (_what, message, says) => {
  expect(() => readToolJob(message, { maxBytes: 1_000 })).toThrow(
    expect.objectContaining({ code: 'CALL_INVALID', message: expect.stringMatching(says) }),
  );
});

it('meta beyond 64 Ki characters is refused', () => {
  const meta = { note: 'x'.repeat(70_000) };
  expect(() => createToolJob('pay', {}, { meta })).toThrow(expect.objectContaining({ code: 'CALL_INVALID' }));
});
