import { describe, expect, it } from 'vitest';
import type { HubServerOptions } from '../../src/index.ts';
import { createHub, memoryLedger, virtualClock } from '../../src/index.ts';
import { hubOf, quick } from '../support/hub.ts';
import { within } from '../support/instance.ts';
import { fates, ScriptedServer, slowly } from '../support/scripted-connection.ts';

const key = { idempotencyKey: 'order:42' };

describe('a hub', () => {
  it('calls the server it is told to, and says so in the answer', async () => {
    const { hub, server } = hubOf({ a: new ScriptedServer(), b: new ScriptedServer() });
    expect(await hub.callTool('b', 'pay', { n: 1 })).toMatchObject({ server: 'b', meta: { execution: 'done' } });
    expect([server('a').sends.length, server('b').sends.length]).toEqual([0, 1]);
    expect(await hub.tryCallTool('a', 'pay')).toMatchObject({ server: 'a', ok: true });
    expect(hub.servers).toEqual(['a', 'b']);
  });

  it('the same key on two servers names two operations (T32)', async () => {
    const { hub, server } = hubOf({ a: new ScriptedServer(), b: new ScriptedServer() });
    const [a, b] = [await hub.callTool('a', 'pay', {}, key), await hub.callTool('b', 'pay', {}, key)];
    expect(a.meta.operationId).not.toBe(b.meta.operationId);
    expect([a.meta.duplicate, b.meta.duplicate]).toEqual([false, false]);
    expect((await hub.callTool('b', 'pay', {}, key)).meta.duplicate).toBe(true);
    expect([server('a').effectCount, server('b').effectCount]).toEqual([1, 1]);
  });

  it('gives each server a breaker, a budget and a line of its own', async () => {
    const down = new ScriptedServer(...Array.from({ length: 20 }, () => fates.reset));
    const { hub, clock } = hubOf({ down, up: new ScriptedServer() }, { limits: { maxInFlight: 1, maxQueued: 0 } });
    for (let n = 0; n < 12; n += 1) await within(clock, 2_000, hub.tryCallTool('down', 'read'));
    expect(await hub.health()).toMatchObject({
      status: 'degraded',
      servers: { down: { breaker: 'open', status: 'degraded' }, up: { breaker: 'closed', status: 'ok' } },
    });
    expect(await hub.tryCallTool('up', 'pay')).toMatchObject({ ok: true });
  });

  it('answers for a server that it does not know with CALL_INVALID, and names those that it has', async () => {
    const { hub } = hubOf({ a: new ScriptedServer() });
    const unknown = {
      code: 'CALL_INVALID',
      execution: 'none',
      message: expect.stringMatching(/^server: .*it has: a$/),
    };
    await expect(hub.callTool('x', 'pay')).rejects.toMatchObject(unknown);
    expect(await hub.tryCallTool('x', 'pay')).toMatchObject({ server: 'x', ok: false, error: unknown });
    await expect(hub.remove('x')).rejects.toMatchObject(unknown);
    await expect(hub.broadcast('pay', {}, { servers: ['a', 'x'] })).rejects.toMatchObject(unknown);
    expect(() => hub.server('x')).toThrow(expect.objectContaining(unknown));
    expect(() => hub.acceptTools('x')).toThrow(expect.objectContaining(unknown));
    await expect(hub.callTool('__proto__', 'pay')).rejects.toMatchObject({ code: 'CALL_INVALID' });
  });
});

describe('servers that come and go', () => {
  it('are called as soon as they are there, and refused once they are gone', async () => {
    const { hub } = hubOf({});
    const late = new ScriptedServer();
    expect(hub.add('late', { server: late.source }).name).toBe('late');
    expect(await hub.callTool('late', 'pay')).toMatchObject({ server: 'late' });
    await hub.remove('late');
    expect(late.closed).toBe(1);
    expect(await hub.tryCallTool('late', 'pay')).toMatchObject({ ok: false, error: { code: 'CALL_INVALID' } });
    expect(hub.servers).toEqual([]);
  });

  it('a call under way ends within the grace, and is answered', async () => {
    const { hub, clock } = hubOf({ a: new ScriptedServer(slowly(300)) });
    const call = hub.tryCallTool('a', 'pay', {}, key);
    await clock.advance(100);
    const removal = hub.remove('a');
    expect(await within(clock, 1_000, call)).toMatchObject({ ok: true, server: 'a' });
    await within(clock, 1_000, removal);
  });

  it('a call that outlasts the grace is in doubt, told and recorded so', async () => {
    const ledger = memoryLedger();
    const { hub, clock } = hubOf({ a: new ScriptedServer(fates.lostAnswer) }, { ledger });
    const call = hub.tryCallTool('a', 'pay', {}, { ...key, timeoutMs: 60_000 });
    await clock.advance(100);
    const removal = hub.remove('a', { graceMs: 200 });
    expect(await within(clock, 3_000, call)).toMatchObject({
      ok: false,
      error: { code: 'IN_DOUBT', reason: 'shutdown' },
    });
    await within(clock, 3_000, removal);
    expect((await ledger.list({})).records[0]).toMatchObject({ state: 'in_doubt', serverName: 'a' });
  });

  it('a server that comes back under its name still knows its keys', async () => {
    const { hub } = hubOf({ a: new ScriptedServer() });
    await hub.callTool('a', 'pay', {}, key);
    await hub.remove('a');
    const again = new ScriptedServer();
    hub.add('a', { server: again.source });
    expect((await hub.callTool('a', 'pay', {}, key)).meta.duplicate).toBe(true);
    expect(again.sends).toHaveLength(0);
  });
});

describe('a name', () => {
  const server = new ScriptedServer().source;

  it.each([
    ['empty', ''],
    ['a newline in it', 'a\nb'],
    ['a C1 control in it', 'a\u0085'],
    ['a lone surrogate', 'a\ud800'],
    ['too long', 'x'.repeat(256)],
  ])('that is %s is refused', (_what, name) => {
    const refused = expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/^name: /) });
    expect(() => createHub({ servers: { [name]: { server } } })).toThrow(refused);
    expect(() => createHub({}).add(name, { server })).toThrow(refused);
  });

  it('that is taken is refused, and the server that has it stays', async () => {
    const { hub } = hubOf({ a: new ScriptedServer() });
    const before = hub.server('a');
    expect(() => hub.add('a', { server })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: 'name: there is a server a already' }),
    );
    expect(hub.server('a')).toBe(before);
  });
});

describe('options of a hub', () => {
  const server = new ScriptedServer().source;
  const refusal = (options: unknown): string => {
    try {
      createHub(options as never);
      return 'accepted';
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
      return (error as Error).message;
    }
  };

  it.each([
    ['createHub takes an object', undefined],
    ['timeoutms is not known', { timeoutms: 5 }],
    ['servers must be an object', { servers: [] }],
    ['servers.a must be an object', { servers: { a: null } }],
    ['servers.a: server must be', { servers: { a: {} } }],
    ['servers.a: retry.maxAttempts', { servers: { a: { server, retry: { maxAttempts: 0 } } } }],
    ['servers.a.name is not', { servers: { a: { server, name: 'b' } } }],
    ['collisions must be', { collisions: 'ignore' }],
    ['pins must be', { pins: { a: { pay: 1 } } }],
    ['a hub takes its servers by name', { server }],
  ])('are refused: %s', (message, options) => {
    expect(refusal(options)).toContain(message);
  });

  it('make all servers or none: a wrong one touches no client of the others', () => {
    const opened: string[] = [];
    const source = { ...server, open: () => opened.push('a') } as unknown as HubServerOptions['server'];
    expect(refusal({ servers: { a: { server: source }, b: {} } })).toContain('servers.b');
    expect(opened).toEqual([]);
  });

  it('are defaults: a server’s own win, groups field by field', async () => {
    const one = new ScriptedServer(...Array.from({ length: 9 }, () => fates.reset));
    const own = { retry: { maxAttempts: 2 }, tools: { read: { readOnly: true } } };
    const { hub, clock } = hubOf({ one: [one, own] }, { tools: { pay: { idempotent: true } } });
    const startedAt = clock.monotonic();
    await within(clock, 900, hub.tryCallTool('one', 'pay'));
    expect(one.sends).toHaveLength(2); // the hub's word on the tool, the server's on attempts
    expect(clock.monotonic() - startedAt).toBe(10); // and the hub's on the wait between
    await within(clock, 900, hub.tryCallTool('one', 'read'));
    expect(one.sends).toHaveLength(4);
  });
});

describe('closing a hub', () => {
  it('[G:I12] closes every server, once, and leaves no timer', async () => {
    const { hub, clock, server } = hubOf(
      { a: new ScriptedServer(slowly(300)), b: new ScriptedServer() },
      { sweepIntervalMs: 30_000 },
    );
    const call = hub.tryCallTool('a', 'pay');
    await hub.callTool('b', 'pay');
    await clock.advance(10);
    expect(clock.pending).toBeGreaterThan(0);
    const closing = hub.close();
    expect(hub.close()).toBe(closing);
    expect((await hub.health()).status).toBe('draining');
    expect(await within(clock, 1_000, call)).toMatchObject({ ok: true });
    await within(clock, 1_000, closing);
    expect([server('a').closed, server('b').closed]).toEqual([1, 1]);
    expect(clock.pending).toBe(0);
  });

  it('refuses everything afterwards, and says that it is closed', async () => {
    const { hub } = hubOf({ a: new ScriptedServer() });
    await hub[Symbol.asyncDispose]();
    const closed = expect.objectContaining({ code: 'CLOSED', execution: 'none' });
    expect(() => hub.add('b', { server: new ScriptedServer().source })).toThrow(closed);
    await expect(hub.callTool('a', 'pay')).rejects.toEqual(closed);
    await expect(hub.broadcast('pay')).rejects.toEqual(closed);
    await expect(hub.listTools()).rejects.toEqual(closed);
  });

  it('closes a ledger of its own, and never one that was given to it', async () => {
    const ledger = memoryLedger();
    const clock = virtualClock();
    const servers = { a: { server: new ScriptedServer().source } };
    const [given, twin] = [
      createHub({ ...quick, clock, ledger, servers }),
      createHub({ ...quick, clock, ledger, servers }),
    ];
    const first = await given.callTool('a', 'pay', {}, key);
    await given.close();
    expect(await ledger.find(first.meta.operationId)).toMatchObject({ state: 'completed' });
    expect((await twin.callTool('a', 'pay', {}, key)).meta.duplicate).toBe(true); // a second hub goes on with it
    await twin.close();

    const { hub } = hubOf({ a: new ScriptedServer() });
    const { meta } = await hub.callTool('a', 'pay', {}, key);
    const tx = hub.server('a');
    await hub.close();
    await expect(tx.getOperation(meta.operationId)).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
  });

  it('waits for servers that are on their way out', async () => {
    const { hub, clock } = hubOf({ a: new ScriptedServer(slowly(300)) });
    const call = hub.tryCallTool('a', 'pay', {}, key);
    await clock.advance(10);
    void hub.remove('a');
    const closing = hub.close();
    expect(await within(clock, 1_000, call)).toMatchObject({ ok: true, meta: { recorded: true } });
    await within(clock, 1_000, closing);
  });
});
