import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { instance, within } from '../support/instance.ts';
import { answered, fates, slowly } from '../support/scripted-connection.ts';

const schema = { inputSchema: z.object({ path: z.string(), operation: z.string() }) };

describe('a local tool', () => {
  it('is called like any other, and its answer is the inner one’s', async () => {
    const { tx } = await instance([{ runs: true, ends: answered({ structuredContent: { done: true } }) }]);
    tx.tool('reliable_file_operation', schema, async ({ path, operation }, ctx) => {
      expectTypeOf(path).toEqualTypeOf<string>();
      return ctx.callTool('pay', { path, operation });
    });
    const { result, meta } = await tx.callTool('reliable_file_operation', {
      path: '/data/file.txt',
      operation: 'read',
    });
    expect(result.structured).toEqual({ done: true });
    expect(meta).toMatchObject({ attempts: 1, execution: 'done' });
  });

  it('names the inner keys after its own, in order, and sums the attempts', async () => {
    const { tx, server, clock, ledger } = await instance([fates.busy]);
    tx.tool('both', { inputSchema: z.object({}) }, async (_input, ctx) => {
      await ctx.callTool('pay');
      await ctx.callTool('read');
      return { fine: true };
    });
    const call = () => within(clock, 500, tx.callTool('both', {}, { idempotencyKey: 'order:42' }));
    const first = await call();
    expect(first.meta.attempts).toBe(3);
    expect(first.result.structured).toEqual({ fine: true });
    const keys = (await ledger.list({})).records.map((record) => record.idempotencyKey).sort();
    expect(keys).toEqual(['order:42/pay/1', 'order:42/read/2']);
    const again = await call();
    expect(again.meta).toMatchObject({ duplicate: true, attempts: 3 });
    expect(server.effectCount).toBe(2);
  });

  it('hands on what is left of the deadline, the scope and the signal', async () => {
    const { tx, server, clock, ledger } = await instance([slowly(300), fates.lostRequest]);
    tx.tool('both', { inputSchema: z.object({}) }, async (_input, ctx) => {
      await ctx.callTool('pay');
      await ctx.callTool('pay');
    });
    const before = clock.monotonic();
    const outcome = await within(clock, 2_000, tx.tryCallTool('both', {}, { timeoutMs: 800, scope: 'tenant-a' }));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    expect(clock.monotonic() - before).toBe(800);
    expect(server.sends[1]?.identity.remainingMs).toBe(500);
    expect((await ledger.list({ scope: 'tenant-a' })).records).toHaveLength(2);
  });

  it('refuses input that its schema refuses', async () => {
    const { tx, server } = await instance();
    tx.tool('op', schema, () => 'x');
    const outcome = await tx.tryCallTool('op', { path: 7 });
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'ARGUMENTS_INVALID', execution: 'none', message: expect.stringContaining('path') },
    });
    expect(server.sends).toHaveLength(0);
  });

  it('that throws says what its inner calls did', async () => {
    const { tx, clock } = await instance([fates.answer, fates.reset]);
    tx.tool('bad', { inputSchema: z.object({ n: z.number() }) }, async (_input, ctx) => {
      await ctx.callTool('pay');
      throw new Error('oops');
    });
    expect(await within(clock, 50, tx.tryCallTool('bad', { n: 1 }))).toMatchObject({
      ok: false,
      error: { code: 'INTERNAL', execution: 'done', message: expect.stringContaining('oops') },
    });
    expect(await within(clock, 50, tx.tryCallTool('bad', { n: 1 }))).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT', execution: 'unknown' },
    });
  });

  it('needs a name of its own and a schema', async () => {
    const { tx } = await instance();
    tx.tool('op', schema, () => 'x');
    const taken = expect.objectContaining({ code: 'CONFIG_INVALID' });
    expect(() => tx.tool('op', schema, () => 'x')).toThrow(taken);
    expect(() => tx.tool('pay', schema, () => 'x')).toThrow(taken);
    expect(() => tx.tool('', schema, () => 'x')).toThrow(taken);
    expect(() => tx.tool('other', { inputSchema: {} as never }, () => 'x')).toThrow(taken);
  });
});
