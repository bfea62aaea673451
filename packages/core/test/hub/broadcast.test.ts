import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { BroadcastOptions, Hub, Settled } from '../../src/index.ts';
import { hubOf } from '../support/hub.ts';
import { within } from '../support/instance.ts';
import type { Fate } from '../support/scripted-connection.ts';
import { answered, fates, ScriptedServer, slowly } from '../support/scripted-connection.ts';

const readOnly = { tools: { read: { readOnly: true } } };
const refusal: Fate = { runs: true, ends: answered({ isError: true }) };
const codeOf = (settled: Settled | undefined): string | undefined =>
  settled?.ok === true ? 'ok' : settled?.error.code;
const codes = (outcomes: ReadonlyMap<string, Settled>): Record<string, string | undefined> =>
  Object.fromEntries([...outcomes].map(([name, settled]) => [name, codeOf(settled)]));

describe('a broadcast to all', () => {
  it('has an outcome of every server, in their order, whatever became of each', async () => {
    const { hub, clock } = hubOf({
      slow: new ScriptedServer(slowly(50)),
      no: new ScriptedServer(fates.rejected),
      lost: new ScriptedServer(fates.lostAnswer),
      yes: new ScriptedServer(),
    });
    const outcomes = await within(clock, 1_100, hub.broadcast('pay', { n: 1 }));
    expect(codes(outcomes)).toEqual({ slow: 'ok', no: 'REJECTED', lost: 'IN_DOUBT', yes: 'ok' });
    expect([...outcomes].map(([name, { server }]) => name === server)).toEqual([true, true, true, true]);
  });

  it('ends at its deadline, which counts from its beginning and not from each call’s', async () => {
    const { hub, clock, server } = hubOf({
      a: new ScriptedServer(fates.lostAnswer),
      b: new ScriptedServer(slowly(150)),
      c: new ScriptedServer(),
    });
    const began = clock.monotonic();
    const outcomes = await within(clock, 1_000, hub.broadcast('pay', {}, { timeoutMs: 200, concurrency: 1 }));
    expect(clock.monotonic() - began).toBe(200);
    expect(codes(outcomes)).toEqual({ a: 'IN_DOUBT', b: 'DEADLINE_EXCEEDED', c: 'DEADLINE_EXCEEDED' });
    expect([server('b').sends.length, server('c').sends.length]).toEqual([0, 0]);
  });

  it.each([1, 2, 5])('has never more than %i under way', async (concurrency) => {
    const servers = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`s${n}`, new ScriptedServer(slowly(10))]));
    const { hub, clock } = hubOf(servers);
    let most = 0;
    const broadcast = hub.broadcast('pay', {}, { concurrency });
    for (let ms = 0; ms < 60; ms += 5) {
      await clock.advance(5);
      const { servers: states } = await hub.health();
      most = Math.max(
        most,
        Object.values(states).reduce((sum, { inFlight }) => sum + inFlight, 0),
      );
    }
    expect([most, (await broadcast).size]).toEqual([concurrency, 5]);
  });

  it('passes the call’s options on: a key names one operation on each server', async () => {
    const { hub, server } = hubOf({ a: new ScriptedServer(), b: new ScriptedServer() });
    const [key, meta] = ['day:1', { traceparent: '00-trace' }];
    const first = await hub.broadcast('pay', {}, { idempotencyKey: key, meta });
    const again = await hub.broadcast('pay', {}, { idempotencyKey: key, servers: ['b'] });
    expect([...first.values()].every(({ ok }) => ok)).toBe(true);
    expect([...again.entries()]).toMatchObject([['b', { ok: true, meta: { duplicate: true } }]]);
    expect([server('a').effectCount, server('b').effectCount]).toEqual([1, 1]);
    expect(server('a').sends[0]?.meta).toMatchObject(meta);
  });

  it('of an empty hub is empty', async () => {
    expect((await hubOf({}).hub.broadcast('pay')).size).toBe(0);
  });
});

describe('a broadcast to any', () => {
  it('ends with the first success; a refusal, an error and a result with isError are none', async () => {
    const { hub, clock, server } = hubOf(
      {
        broken: new ScriptedServer(fates.rejected),
        says: new ScriptedServer(refusal),
        second: new ScriptedServer(slowly(30)),
        last: new ScriptedServer(slowly(500)),
      },
      readOnly,
    );
    const began = clock.monotonic();
    const outcomes = await within(clock, 1_000, hub.broadcast('read', {}, { policy: 'any' }));
    expect(clock.monotonic() - began).toBe(30);
    expect(codes(outcomes)).toMatchObject({ broken: 'REJECTED', says: 'ok', second: 'ok' });
    expect(outcomes.get('last')).toMatchObject({ ok: false });
    expect(server('last').sends[0]?.cancelled).toBeDefined(); // it is safe, so its answer is worth nothing any more (T33)
  });

  it('a losing call that is not safe is left to run: detached, never cancelled, its answer kept', async () => {
    const { hub, clock, server } = hubOf(
      { fast: new ScriptedServer(slowly(5)), slow: new ScriptedServer(slowly(100)) },
      { tools: { pay: { onAbort: 'cancel' } } },
    );
    const options = { policy: 'any', confirm: true, idempotencyKey: 'k' } as const;
    const outcomes = await within(clock, 1_000, hub.broadcast('pay', {}, options));
    expect(outcomes.get('slow')).toMatchObject({
      error: { code: 'IN_DOUBT', execution: 'unknown', reason: 'aborted' },
    });
    await clock.advance(200);
    expect(server('slow').sends[0]?.cancelled).toBeUndefined();
    const later = await hub.callTool('slow', 'pay', {}, { idempotencyKey: 'k' });
    expect(later.meta).toMatchObject({ duplicate: true, execution: 'done' });
  });

  it('starts nothing more once it is decided', async () => {
    const { hub, server } = hubOf({ a: new ScriptedServer(), b: new ScriptedServer() }, readOnly);
    const outcomes = await hub.broadcast('read', {}, { policy: 'any', concurrency: 1 });
    expect(outcomes.get('b')).toMatchObject({ error: { code: 'ABORTED', execution: 'none', reason: 'decided' } });
    expect(server('b').sends).toHaveLength(0);
  });

  it('without any success has heard them all', async () => {
    const { hub } = hubOf({ a: new ScriptedServer(fates.rejected), b: new ScriptedServer(refusal) }, readOnly);
    const outcomes = await hub.broadcast('read', {}, { policy: 'any' });
    expect(codes(outcomes)).toEqual({ a: 'REJECTED', b: 'ok' });
  });
});

describe('a broadcast to a quorum', () => {
  const fiveOf = (...afterMs: number[]): Record<string, ScriptedServer> =>
    Object.fromEntries(afterMs.map((ms, n) => [`s${n}`, new ScriptedServer(slowly(ms))]));

  it('ends when so many have answered', async () => {
    const { hub, clock } = hubOf(fiveOf(10, 20, 30, 400, 500), readOnly);
    const began = clock.monotonic();
    const outcomes = await within(clock, 1_000, hub.broadcast('read', {}, { policy: { quorum: 3 } }));
    expect(clock.monotonic() - began).toBe(30);
    expect([...outcomes.values()].filter(({ ok }) => ok)).toHaveLength(3);
  });

  it('ends when it cannot be met any more', async () => {
    const servers = {
      a: new ScriptedServer(fates.rejected),
      b: new ScriptedServer(fates.rejected),
      c: new ScriptedServer(slowly(500)),
    };
    const { hub, clock } = hubOf(servers, readOnly);
    const began = clock.monotonic();
    const outcomes = await within(clock, 1_000, hub.broadcast('read', {}, { policy: { quorum: 2 } }));
    expect(clock.monotonic() - began).toBe(0);
    expect(outcomes.get('c')).toMatchObject({ ok: false });
  });
});

describe('a broadcast that leaves calls behind', () => {
  const trusting = { trusted: true };
  const hinted = (): ScriptedServer => {
    const server = new ScriptedServer();
    server.tools = [{ name: 'read', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }];
    return server;
  };
  const any = (hub: Hub, options: BroadcastOptions = {}) => hub.broadcast('read', {}, { policy: 'any', ...options });

  it('of a tool not known to be safe wants to be confirmed, and names where; nothing is sent', async () => {
    const { hub, server } = hubOf({ a: [new ScriptedServer(), readOnly], b: new ScriptedServer() });
    await expect(any(hub)).rejects.toMatchObject({
      code: 'CALL_INVALID',
      message: expect.stringMatching(/^policy: read is not known to be safe on b: .*confirm: true/),
    });
    expect([server('a').sends.length, server('b').sends.length]).toEqual([0, 0]);
    expect(await any(hub, { servers: ['a'] })).toHaveProperty('size', 1);
    expect(await any(hub, { confirm: true })).toHaveProperty('size', 2);
    expect(await any(hub, { policy: 'all' })).toHaveProperty('size', 2);
  });

  it('believes the hints of a server that is trusted, also before its first call, and of no other', async () => {
    expect(await any(hubOf({ a: [hinted(), trusting] }).hub)).toHaveProperty('size', 1);
    await expect(any(hubOf({ a: hinted() }).hub)).rejects.toMatchObject({ code: 'CALL_INVALID' });
    const unsure = { a: [hinted(), { ...trusting, tools: { read: { idempotent: false } } }] } as const;
    await expect(any(hubOf(unsure).hub)).rejects.toMatchObject({ code: 'CALL_INVALID' });
  });
});

describe('the caller of a broadcast', () => {
  it('may leave: nothing more begins, what is under way detaches, and no listener stays', async () => {
    const { hub, clock, server } = hubOf({ a: new ScriptedServer(slowly(100)), b: new ScriptedServer() });
    const controller = new AbortController();
    const { signal } = controller;
    const listeners = (): number => getEventListeners(signal, 'abort').length;
    const broadcast = hub.broadcast('pay', {}, { signal, concurrency: 1 });
    await clock.advance(10);
    expect(listeners()).toBe(1);
    controller.abort();
    const outcomes = await within(clock, 10, broadcast);
    expect(outcomes.get('a')).toMatchObject({ error: { code: 'IN_DOUBT', reason: 'aborted' } });
    expect(outcomes.get('b')).toMatchObject({ error: { code: 'ABORTED', execution: 'none', reason: 'aborted' } });
    expect([server('a').sends[0]?.cancelled, server('b').sends.length, listeners()]).toEqual([undefined, 0, 0]);
    const early = await hub.broadcast('pay', {}, { signal: AbortSignal.abort() });
    expect(codes(early)).toEqual({ a: 'ABORTED', b: 'ABORTED' });
    expect(server('b').sends).toHaveLength(0);
  });

  it.each([
    ['policy', { policy: 'most' }],
    ['policy', { policy: { quorum: 0 } }],
    ['policy', { policy: { quorum: 1.5 } }],
    ['policy: a quorum of 3 cannot be met by 2 servers', { policy: { quorum: 3 } }],
    ['concurrency', { concurrency: 0 }],
    ['timeoutMs', { timeoutMs: -1 }],
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['servers', { servers: 'a' }],
    ['polcy', { polcy: 'any' }],
  ])('is told that %s is wrong', async (field, options) => {
    const { hub } = hubOf({ a: new ScriptedServer(), b: new ScriptedServer() }, readOnly);
    const refused = { code: 'CALL_INVALID', message: expect.stringContaining(field) };
    await expect(hub.broadcast('read', {}, options as never)).rejects.toMatchObject(refused);
  });
});
