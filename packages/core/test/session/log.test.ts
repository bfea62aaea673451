import { expect, it } from 'vitest';
import { redact } from '../../src/session/request-log.ts';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const CANARY = 'canary-7f3a';

function recorder() {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => lines.push({ level, fields, message });
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

it('logs every call on demand, and no secret of it: not from arguments, results, keys’ values or the server’s words', async () => {
  const { lines, logger } = recorder();
  const script = [
    { runs: true, ends: { frame: 'result', result: { content: [{ type: 'text', text: CANARY }] } } } as const,
    { ends: { frame: 'error', errorFrame: { code: -32_601, message: CANARY, data: CANARY } } } as const,
    fates.reset,
  ];
  const { tx, clock } = await instance(script, { logger, logRequests: { arguments: true, redact: ['note'] } });
  for (let n = 0; n < 3; n += 1) {
    await within(
      clock,
      100,
      tx.tryCallTool('pay', { password: CANARY, note: CANARY, nested: { apiKey: CANARY }, amount: 7 }),
    );
  }
  expect(JSON.stringify(lines)).not.toContain(CANARY);
  expect(lines.filter(({ message }) => message === 'call')).toHaveLength(3);
  expect(JSON.stringify(lines)).toContain('"amount":7');
  expect(lines.some(({ level, message }) => level === 'warn' && message === 'an operation is in doubt')).toBe(true);
});

it('without being asked it logs only what needs attention', async () => {
  const { lines, logger } = recorder();
  const { tx, clock } = await instance([fates.answer, fates.reset], { logger });
  await within(clock, 100, tx.tryCallTool('pay', {}));
  expect(lines).toEqual([]);
  await within(clock, 100, tx.tryCallTool('pay', {}));
  expect(lines).toMatchObject([{ level: 'warn', fields: { event: 'operation.settled', outcome: 'in_doubt' } }]);
});

it('warns once that memory forgets keys', async () => {
  const { lines, logger } = recorder();
  const { tx } = await instance([], { logger });
  for (const idempotencyKey of ['a', 'b']) await tx.callTool('pay', {}, { idempotencyKey });
  expect(lines.filter(({ message }) => message.includes('kept in memory only'))).toHaveLength(1);
});

it('says once per instance that a whole server was put to at-least-once, and every result says whose word it is', async () => {
  const { lines, logger } = recorder();
  const { tx, clock, server } = await instance([], {
    logger,
    delivery: 'at-least-once',
    tools: { read: { readOnly: true }, pay: { readOnly: false } },
  });
  server.tools = ['unknown', 'read', 'pay'].map((name) => ({ name }));
  server.onToolsChanged();
  tx.tool('local', { inputSchema: { '~standard': { version: 1, validate: (value) => ({ value }) } } }, (_, context) =>
    context.callTool('unknown'),
  );
  const guarantees: unknown[] = [];
  for (const [tool, options] of [
    ['unknown', {}],
    ['local', {}],
    ['read', {}],
    ['pay', {}],
    ['unknown', { delivery: 'at-least-once' }],
    ['unknown', { delivery: 'at-most-once' }],
  ] as const) {
    const { meta } = await within(clock, 100, tx.callTool(tool, {}, options));
    guarantees.push([meta.guarantee, meta.guaranteeBy]);
  }
  expect(guarantees).toEqual([
    ['at-least-once', 'server-default'],
    ['at-least-once', 'server-default'],
    ['at-least-once', undefined],
    ['at-most-once', undefined],
    ['at-least-once', undefined],
    ['at-most-once', undefined],
  ]);
  expect(lines).toMatchObject([{ level: 'warn', fields: { event: 'delivery.server-default', server: 'test' } }]);
});

it('a listener that throws hurts nobody, and is reported', async () => {
  const { tx } = await instance();
  const failures: unknown[] = [];
  tx.on('call.started', () => {
    throw new Error('listener');
  });
  tx.on('hook.failed', (event) => failures.push(event.hook));
  await tx.callTool('pay');
  expect(failures).toEqual(['listener of call.started']);
});

it('redacts by telling names, at every depth, and cuts what is long', () => {
  expect(redact({ Authorization: 'x', list: [{ card_number: '4', ok: 1 }], text: 'y'.repeat(300) })).toEqual({
    Authorization: '[redacted]',
    list: [{ card_number: '[redacted]', ok: 1 }],
    text: `${'y'.repeat(200)}… (300 characters)`,
  });
  expect(redact({ a: { b: { c: { d: { e: 1 } } } } })).toEqual({ a: { b: { c: { d: '[deeper]' } } } });
});
