// DESIGN 3.3 / I1: a second send that must not be.
import { describe, expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { fates } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

describe('[G:I1] is not sent again', () => {
  it('to a server that speaks MCP-Tx no more (an older version came back after the crash)', async () => {
    const { tx, server, clock } = await instance([fates.resetAfterEffect]);
    server.speaksMcpTx = true;
    const call = tx.tryCallTool('pay', {}, key);
    await clock.advance(5);
    server.speaksMcpTx = false;
    expect(await within(clock, 1_100, call)).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    expect(server.effectCount).toBe(1);
  });

  it('when the user says of this tool that it is not idempotent, whatever the server’s default is', async () => {
    const { tx, server, clock } = await instance([fates.resetAfterEffect], {
      delivery: 'at-least-once',
      tools: { pay: { idempotent: false } },
    });
    await within(clock, 1_100, tx.tryCallTool('pay', {}, key));
    expect(server.effectCount).toBe(1);
  });
});
