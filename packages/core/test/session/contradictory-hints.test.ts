// DESIGN 3.3: "Contradictory hints: refuse." They are refused where a mode would have to be derived from them.
import { describe, expect, it } from 'vitest';
import type { McpTxOptions } from '../../src/index.ts';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };
const contradictory = { name: 'pay', annotations: { readOnlyHint: true, destructiveHint: true, idempotentHint: true } };

async function hinting(options: Partial<McpTxOptions>, script: Parameters<typeof instance>[0] = []) {
  const i = await instance(script, options);
  i.server.tools = [contradictory, { name: 'read' }];
  i.server.onToolsChanged();
  return i;
}

describe('a tool that its server calls read-only and destructive', () => {
  it('is refused from a trusted server: no mode can be derived, nothing is sent, nothing recorded', async () => {
    const { tx, server, ledger } = await hinting({ trusted: true });
    for (const options of [{}, key]) {
      expect(await tx.tryCallTool('pay', {}, options)).toMatchObject({
        ok: false,
        error: { code: 'TOOL_NOT_ALLOWED', execution: 'none', retryable: false, reason: 'contradictory-hints' },
      });
    }
    expect(server.sends).toHaveLength(0);
    expect((await ledger.list({})).records).toHaveLength(0);
  });

  it('is refused as well where the user has set another mode for the whole server', async () => {
    const { tx } = await hinting({ trusted: true, delivery: 'at-least-once' });
    expect(await tx.tryCallTool('pay')).toMatchObject({ ok: false, error: { code: 'TOOL_NOT_ALLOWED' } });
  });

  it('is taken for unsafe from a server that is not trusted: its hints decide nothing', async () => {
    const { tx, clock, server } = await hinting({}, [fates.reset]);
    const outcome = await within(clock, 100, tx.tryCallTool('pay'));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    expect(server.sends).toHaveLength(1);
  });

  it.each([
    ['a rule', { tools: { pay: { readOnly: false } } }, {}, 'at-most-once'],
    ['another rule', { tools: { pay: { idempotent: true } } }, {}, 'at-least-once'],
    ['a rule’s delivery', { tools: { pay: { delivery: 'at-most-once' } } }, {}, 'at-most-once'],
    ['an idempotencyArgument', { tools: { pay: { idempotencyArgument: '/k' } } }, {}, 'effectively-once'],
    ['the call’s own delivery', {}, { delivery: 'at-least-once' }, 'at-least-once'],
  ] as const)('is called where %s says how often it may run', async (_what, options, call, guarantee) => {
    const { tx } = await hinting({ trusted: true, ...options });
    expect((await tx.callTool('pay', {}, call)).meta.guarantee).toBe(guarantee);
  });

  it('is called where the server itself recognises repeats', async () => {
    const { tx, server } = await hinting({ trusted: true });
    server.speaksMcpTx = true;
    expect((await tx.callTool('pay')).meta.guarantee).toBe('effectively-once');
  });

  it('stays answered where it had run before its hints changed', async () => {
    const { tx, server } = await instance([], { trusted: true });
    await tx.callTool('pay', {}, key);
    server.tools = [contradictory];
    server.onToolsChanged();
    expect(await tx.tryCallTool('pay', {}, key)).toMatchObject({ ok: true, meta: { duplicate: true } });
  });
});
