// DESIGN 3.6: a call after `tools/list_changed` shared the reading that had begun before it, or used the old list while the new one was
// being read; a server that would not tell was taken for read although it had changed meanwhile.
import { expect, it } from 'vitest';
import type { McpTx, VirtualClock } from '../../src/index.ts';
import { createMcpTx, memoryLedger, serverSource, virtualClock } from '../../src/index.ts';
import { within } from '../support/instance.ts';
import { ScriptedServer } from '../support/scripted-connection.ts';

const tool = (name: string, required: readonly string[] = []) => ({
  name,
  inputSchema: { type: 'object' as const, required: [...required] },
});

interface World {
  readonly tx: McpTx;
  readonly server: ScriptedServer;
  readonly clock: VirtualClock;
  silent: boolean;
}

/** A server whose list of tools is on its way for 20 ms. */
function slowToTell(): World {
  const clock = virtualClock();
  const server = new ScriptedServer();
  const source = serverSource((context) => {
    const listTools = async () => {
      const { tools } = server;
      const isSilent = world.silent;
      await new Promise<void>((resolve) => clock.timer(20, resolve));
      if (isSilent) throw new Error('Method not found');
      return tools;
    };
    return new Proxy(server.source.open(context), {
      get: (target, name) => (name === 'listTools' ? listTools : (Reflect.get(target, name) as unknown)),
    });
  });
  const tx = createMcpTx({ server: source, clock, ledger: memoryLedger({ clock }), name: 'test', sweepIntervalMs: 0 });
  const world: World = { tx, server, clock, silent: false };
  return world;
}

it('a tool that was announced while the list was on its way is found by a call after that', async () => {
  const { tx, server, clock } = slowToTell();
  const first = tx.tryCallTool('pay');
  await clock.advance(10);
  server.tools = [...server.tools, tool('refund')];
  server.onToolsChanged();
  expect(await within(clock, 100, tx.tryCallTool('refund'))).toMatchObject({ ok: true });
  await within(clock, 100, first);
});

it('a call is not checked by the old schema while the new one is on its way', async () => {
  const { tx, server, clock } = slowToTell();
  await within(clock, 100, tx.callTool('pay'));
  server.tools = [tool('pay', ['amount'])];
  server.onToolsChanged();
  const both = Promise.all([tx.tryCallTool('pay'), tx.tryCallTool('pay')]);
  const refused = { ok: false, error: { code: 'ARGUMENTS_INVALID' } };
  expect(await within(clock, 100, both)).toMatchObject([refused, refused]);
  expect(server.sends).toHaveLength(1);
});

it('a server that did not tell is asked again when its tools changed meanwhile', async () => {
  const world = slowToTell();
  const { tx, server, clock } = world;
  world.silent = true;
  const first = tx.tryCallTool('pay');
  await clock.advance(10);
  world.silent = false;
  server.tools = [tool('read')];
  server.onToolsChanged();
  await within(clock, 100, first);
  expect(await within(clock, 100, tx.tryCallTool('pay'))).toMatchObject({ error: { code: 'TOOL_NOT_FOUND' } });
});
