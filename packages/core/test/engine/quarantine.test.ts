// DESIGN 3.6: a model that retries mints a new key, or none: a keyless call that equals an operation in doubt is held back.
import { describe, expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

describe('quarantine', () => {
  const options = { quarantineMs: 600_000 };

  it('holds back a keyless repeat of what is in doubt, and names it', async () => {
    const { tx, server, clock } = await instance([fates.reset], options);
    const first = await within(clock, 100, tx.tryCallTool('pay', { a: 1 }));
    const operationId = first.ok ? '' : first.error.operationId;
    const repeat = await within(clock, 100, tx.tryCallTool('pay', { a: 1 }));
    expect(repeat).toMatchObject({
      ok: false,
      error: { code: 'REPEAT_QUARANTINED', operationId, execution: 'unknown' },
    });
    expect(server.sends).toHaveLength(1);
  });

  it('of what was sent and not answered by its caller’s deadline, too', async () => {
    const { tx, clock } = await instance([slowly(1_400)], options);
    await within(clock, 1_100, tx.tryCallTool('pay', { a: 1 }));
    expect(await within(clock, 100, tx.tryCallTool('pay', { a: 1 }))).toMatchObject({
      ok: false,
      error: { code: 'REPEAT_QUARANTINED' },
    });
  });

  it.each([
    ['other arguments', { a: 2 }, {}],
    ['a key', { a: 1 }, { idempotencyKey: 'k' }],
    ['another scope', { a: 1 }, { scope: 'b' }],
  ])('lets %s pass', async (_what, args, more) => {
    const { tx, clock } = await instance([fates.reset], options);
    await within(clock, 100, tx.tryCallTool('pay', { a: 1 }));
    expect(await within(clock, 100, tx.tryCallTool('pay', args, more))).toMatchObject({ ok: true });
  });

  it('lets a caller pass who says what he repeats', async () => {
    const { tx, clock } = await instance([fates.reset], options);
    const first = await within(clock, 100, tx.tryCallTool('pay', { a: 1 }));
    const repeatOf = first.ok ? '' : (first.error.operationId ?? '');
    expect(await within(clock, 100, tx.tryCallTool('pay', { a: 1 }, { repeatOf }))).toMatchObject({ ok: true });
  });

  it('holds back who names another operation as the one to be repeated', async () => {
    const { tx, clock } = await instance([fates.reset, fates.reset], options);
    const first = await within(clock, 100, tx.tryCallTool('pay', { a: 1 }));
    const other = await within(clock, 100, tx.tryCallTool('pay', { a: 2 }));
    const idOf = (outcome: typeof first) => (outcome.ok ? '' : (outcome.error.operationId ?? ''));
    expect(await within(clock, 100, tx.tryCallTool('pay', { a: 1 }, { repeatOf: idOf(other) }))).toMatchObject({
      ok: false,
      error: { code: 'REPEAT_QUARANTINED', operationId: idOf(first) },
    });
  });

  it('holds back a keyless repeat of an operation that has a key', async () => {
    const { tx, clock, server } = await instance([fates.reset], options);
    const first = await within(clock, 100, tx.tryCallTool('pay', { a: 1 }, { idempotencyKey: 'order:42' }));
    const operationId = first.ok ? '' : first.error.operationId;
    const error = { code: 'REPEAT_QUARANTINED', operationId, execution: 'unknown' };
    expect(await within(clock, 100, tx.tryCallTool('pay', { a: 1 }))).toMatchObject({ ok: false, error });
    expect(server.sends).toHaveLength(1);
  });

  it('is off by default', async () => {
    const off = await instance([fates.reset]);
    await within(off.clock, 100, off.tx.tryCallTool('pay', { a: 1 }));
    expect(await within(off.clock, 100, off.tx.tryCallTool('pay', { a: 1 }))).toMatchObject({ ok: true });
  });

  it('is lifted by the server’s own hint that the tool only reads', async () => {
    const { tx, server, clock } = await instance([fates.reset], options);
    server.tools = [{ name: 'pay', annotations: { readOnlyHint: true } }];
    server.onToolsChanged();
    await within(clock, 100, tx.tryCallTool('pay', { a: 1 }));
    expect(await within(clock, 100, tx.tryCallTool('pay', { a: 1 }))).toMatchObject({ ok: true });
  });
});
