// An instance was closed while a call still asked the server for its tools: the call went on, and nothing kept its deadline.
import { expect, it } from 'vitest';
import { instance, within } from '../support/instance.ts';
import { overrideLedger } from '../support/override-ledger.ts';

it('[G:I5] such a call is refused as soon as the tools are there', async () => {
  const world = await instance();
  const ledger = overrideLedger(world.ledger, { find: () => new Promise(() => undefined) });
  const { tx, server, clock } = await instance([], { ledger }, world);
  server.listsAfterMs = 200;
  server.tools.push({ name: 'later', inputSchema: { type: 'object' } });
  server.onToolsChanged();
  const told = tx.tryCallTool('later', {}, { idempotencyKey: 'k' });
  await clock.advance(10);
  await tx.close({ graceMs: 0 });
  expect(await within(clock, 990, told)).toMatchObject({ ok: false, error: { code: 'CLOSED' } });
  expect(server.sends).toHaveLength(0);
});
