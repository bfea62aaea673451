// DESIGN 1 and I8: "what nobody can know is said, not guessed". Each of these callers is told execution 'none' of an operation
// that has run, runs, or may run.
import { describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger.ts';
import { crashed, instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';
import { answered, fates, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

describe('execution is not none', () => {
  it('when a gate refuses the key of an operation that a dead owner has sent', async () => {
    const dead = await crashed([fates.lostAnswer], (tx) => tx.callTool('pay', {}, { ...key, timeoutMs: 900_000 }));
    const { tx, clock, server } = await instance([fates.reset], { breaker: { failureThreshold: 1 } }, dead);
    await within(clock, 100, tx.tryCallTool('read'));
    expect((await tx.health()).breaker).toBe('open');
    const outcome = await within(clock, 100, tx.tryCallTool('pay', {}, key));
    expect(server.effectCount).toBe(1);
    expect(outcome).not.toMatchObject({ error: { execution: 'none' } });
  });

  it('when the deadline passes in a claim after another owner was seen at work', async () => {
    const one = await instance([slowly(3_000)], { timeoutMs: 9_000 });
    let claims = 0;
    const slow = overrideLedger(one.ledger, {
      claim: (...all: Parameters<Ledger['claim']>) => {
        claims += 1;
        return claims > 1 ? new Promise(() => undefined) : one.ledger.claim(...all);
      },
    });
    const first = one.tx.callTool('pay', {}, key);
    await one.clock.settle();
    const two = await instance([], { ledger: slow }, one);
    const outcome = await within(one.clock, 1_100, two.tx.tryCallTool('pay', {}, key));
    expect(claims).toBe(2);
    expect(outcome).toMatchObject({ ok: false, error: { execution: 'unknown' } });
    await within(one.clock, 9_000, first);
  });

  it('when a server that speaks MCP-Tx says that the operation is in progress', async () => {
    const nack = { 'io.github.mcp-tx/reliability': { ack: false, processed: false, reason: 'in-progress' } };
    const inProgress = {
      ends: { frame: 'error', errorFrame: { code: -32_000, message: 'in progress', data: nack } },
    } as const;
    const { tx, clock, server } = await instance(Array.from({ length: 100 }, () => inProgress));
    server.speaksMcpTx = true;
    const outcome = await within(clock, 1_100, tx.tryCallTool('pay', {}, key));
    expect(outcome).toMatchObject({ ok: false, error: { execution: 'unknown' } });
  });

  it('when the lease was lost meanwhile and the record says in doubt', async () => {
    const options = { leaseMs: 200, safetyMarginMs: 50, timeoutMs: 2_000, renewLeases: false };
    const one = await instance([{ afterMs: 600, ends: { status: 429 } }], options);
    const first = one.tx.tryCallTool('pay', {}, key);
    await one.clock.advance(300);
    const two = await instance([], options, one);
    await within(one.clock, 100, two.tx.tryCallTool('pay', {}, key));
    const outcome = await within(one.clock, 2_000, first);
    const [record] = (await one.ledger.list({})).records;
    // Either the doubt is ended by what the old owner knows, or its caller is told of the doubt.
    const told = outcome.ok ? 'done' : outcome.error.execution;
    expect({ told, state: record?.state }).not.toEqual({ told: 'none', state: 'in_doubt' });
  });

  it('when an operator said "it did not happen" and then the answer came', async () => {
    const options = { leaseMs: 200, safetyMarginMs: 50, timeoutMs: 3_000, renewLeases: false };
    const one = await instance([slowly(900)], options);
    const first = one.tx.tryCallTool('pay', {}, key);
    await one.clock.advance(300);
    const two = await instance([], options, one);
    const doubt = await within(one.clock, 100, two.tx.tryCallTool('pay', {}, key));
    const operationId = doubt.ok ? '' : (doubt.error.operationId ?? '');
    await two.tx.resolve(operationId, { outcome: 'not_executed', by: 'ann', reason: 'not in the books' });
    const outcome = await within(one.clock, 2_000, first);
    expect(one.server.effectCount).toBe(1);
    expect(outcome).not.toMatchObject({ error: { execution: 'none' } });
  });

  it('when one inner call of a local tool has run and the next could not be sent', async () => {
    const { tx, clock, server } = await instance([fates.answer, fates.rejected]);
    const anything = { '~standard': { version: 1, validate: (value: unknown) => ({ value }) } } as const;
    tx.tool('transfer', { inputSchema: anything }, async (_input, context) => {
      await context.callTool('pay', { debit: 1 });
      return context.callTool('pay', { credit: 1 });
    });
    const outcome = await within(clock, 100, tx.tryCallTool('transfer', {}));
    expect(server.effectCount).toBe(1);
    expect(outcome).toMatchObject({ ok: false });
    expect(outcome).not.toMatchObject({ error: { execution: 'none' } });
  });

  it('when the key’s operation has run and its tool has since gone from the server’s list', async () => {
    const { tx, clock, server } = await instance([{ runs: true, ends: answered() }]);
    await tx.callTool('pay', {}, key);
    server.tools = [{ name: 'read' }];
    server.onToolsChanged();
    const repeat = await within(clock, 100, tx.tryCallTool('pay', {}, key));
    expect(repeat).toMatchObject({ ok: true, meta: { duplicate: true } });
  });
});
