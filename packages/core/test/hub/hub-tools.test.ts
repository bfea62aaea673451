import { describe, expect, it } from 'vitest';
import type { HubTools } from '../../src/index.ts';
import { hubOf } from '../support/hub.ts';
import { within } from '../support/instance.ts';
import { ScriptedServer } from '../support/scripted-connection.ts';

function withTools(...names: string[]): ScriptedServer {
  const server = new ScriptedServer();
  server.tools = names.map((name) => ({ name, inputSchema: { type: 'object' } }));
  return server;
}

/** A server whose list never comes, or fails. */
function mute(how: 'hangs' | 'fails'): ScriptedServer {
  const server = withTools('never');
  const { source } = server;
  const open: typeof source.open = (context) => {
    const inner = source.open(context);
    const listTools = (): Promise<never> =>
      how === 'hangs' ? new Promise(() => undefined) : Promise.reject(new Error('no such method'));
    return new Proxy(inner, { get: (target, name) => (name === 'listTools' ? listTools : Reflect.get(target, name)) });
  };
  return Object.assign(server, { source: { ...source, open }, isUp: false });
}

const names = ({ tools }: HubTools): string[] => tools.map(({ name }) => name);

describe('the tools of a hub', () => {
  it('are those of all servers, each with what it takes to call it', async () => {
    const { hub } = hubOf({ files: withTools('read', 'write'), web: withTools('search') });
    const { tools, unavailable, changed } = await hub.listTools();
    expect(tools.map(({ name, server, tool }) => [name, server, tool])).toEqual([
      ['read', 'files', 'read'],
      ['write', 'files', 'write'],
      ['search', 'web', 'search'],
    ]);
    expect(tools[0]?.definition).toEqual({ name: 'read', inputSchema: { type: 'object' } });
    expect([unavailable.size, changed]).toEqual([0, []]);
  });

  it('of one name on two servers are refused, and both are named', async () => {
    const { hub } = hubOf({ a: withTools('search'), b: withTools('search') });
    await expect(hub.listTools()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^a and b both have .*"search".*collisions: 'prefix'/),
    });
  });

  it('are all prefixed where so configured, also those without a namesake', async () => {
    const { hub } = hubOf({ a: withTools('search', 'read'), b: withTools('search') }, { collisions: 'prefix' });
    const listed = await hub.listTools();
    expect(names(listed)).toEqual(['a.search', 'a.read', 'b.search']);
    const { server, tool } = listed.tools[2] as (typeof listed.tools)[number];
    expect(await hub.callTool(server, tool)).toMatchObject({ server: 'b' });
  });

  it('with prefixes that make two names one are refused', async () => {
    const { hub } = hubOf({ a: withTools('b.c'), 'a.b': withTools('c') }, { collisions: 'prefix' });
    await expect(hub.listTools()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('are listed without those of servers that do not answer, which are reported', async () => {
    const { hub, clock } = hubOf({
      a: withTools('one'),
      hangs: mute('hangs'),
      fails: mute('fails'),
      b: withTools('two'),
    });
    const began = clock.monotonic();
    const listed = await within(clock, 1_000, hub.listTools({ timeoutMs: 70 }));
    expect(clock.monotonic() - began).toBe(70);
    expect(names(listed)).toEqual(['one', 'two']);
    expect([...listed.unavailable.keys()].sort()).toEqual(['fails', 'hangs']);
    for (const error of listed.unavailable.values()) expect(error).toMatchObject({ code: 'CONNECTION_FAILED' });
  });
});

describe('the health of a hub', () => {
  it('is one report of all servers, that JSON can say', async () => {
    const down = new ScriptedServer();
    down.isUp = false;
    const { hub } = hubOf({ a: withTools('one'), down });
    const report = await hub.health({ check: false });
    expect(report).toMatchObject({ status: 'degraded', servers: { a: { status: 'ok' }, down: { status: 'down' } } });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('is down when every server is, and ok when none is', async () => {
    const down = new ScriptedServer();
    const { hub } = hubOf({ down });
    expect((await hub.health()).status).toBe('ok');
    down.isUp = false;
    expect((await hub.health()).status).toBe('down');
  });
});
