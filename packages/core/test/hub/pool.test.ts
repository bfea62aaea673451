import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Pool, PooledSession, PoolOptions, ServerSource, VirtualClock } from '../../src/index.ts';
import { createMcpTx, createPool, McpTxError, serverSource, virtualClock } from '../../src/index.ts';
import { quick } from '../support/hub.ts';
import { ScriptedServer } from '../support/scripted-connection.ts';

/** A session that remembers its fate. */
interface Session {
  readonly id: number;
  alive: boolean;
  ended: boolean;
}

interface World {
  readonly pool: Pool<Session>;
  readonly clock: VirtualClock;
  /** All that were made, in order. */
  readonly made: Session[];
  readonly living: () => number;
}

/** A pool whose sessions take 10 ms to be made. */
function world(options: Partial<PoolOptions<Session>> = {}): World {
  const clock = virtualClock();
  const made: Session[] = [];
  const create = async (): Promise<Session> => {
    await wait(clock, 10);
    const session = { id: made.length, alive: true, ended: false };
    made.push(session);
    return session;
  };
  const pool = createPool<Session>({
    max: 2,
    create,
    clock,
    check: async ({ alive }) => alive,
    destroy: async (session) => {
      session.ended = true;
    },
    ...options,
  });
  return { pool, clock, made, living: () => made.filter(({ ended }) => !ended).length };
}

const wait = (clock: VirtualClock, ms: number): Promise<void> => new Promise((resolve) => clock.timer(ms, resolve));
const never = (): Promise<never> => new Promise(() => undefined);

/** A server that gives a sign of life only while it is up. */
function withSignOfLife(server: ScriptedServer): ServerSource {
  return serverSource((context) => {
    const inner = server.source.open(context);
    const check = (): Promise<void> => (server.isUp ? Promise.resolve() : Promise.reject(new Error('dead')));
    return new Proxy(inner, { get: (target, name) => (name === 'check' ? check : Reflect.get(target, name)) });
  });
}

/** Acquires, and lets the 10 ms pass. */
async function taken({ pool, clock }: World): Promise<PooledSession<Session>> {
  const acquired = pool.acquire();
  await clock.advance(10);
  return acquired;
}

describe('a pool', () => {
  it('makes nothing before it is asked, and never more than max at once (T27)', async () => {
    let most = 0;
    let begun = 0;
    const w = world({ max: 4, acquireTimeoutMs: 60_000 });
    expect(w.pool.state).toEqual({ size: 0, idle: 0, lent: 0, waiting: 0 });
    const inUse = new Set<Session>();
    const all = Array.from({ length: 100 }, () =>
      w.pool.use(async (session) => {
        expect(inUse.has(session)).toBe(false); // one borrower at a time
        inUse.add(session);
        begun += 1;
        most = Math.max(most, inUse.size);
        await wait(w.clock, 5);
        inUse.delete(session);
      }),
    );
    await w.clock.advance(1_000);
    await Promise.all(all);
    expect([w.made.length, most, begun]).toEqual([4, 4, 100]);
    expect(w.pool.state).toEqual({ size: 4, idle: 4, lent: 0, waiting: 0 });
  });

  it('makes no more than are wanted: one after another share one session', async () => {
    const w = world();
    for (let n = 0; n < 5; n += 1) (await taken(w)).release();
    expect(w.made).toHaveLength(1);
  });

  it('serves first who came first, also past a newcomer', async () => {
    const w = world({ max: 1 });
    const first = await taken(w);
    const order: string[] = [];
    const next = ['a', 'b', 'c'].map((name) => w.pool.use(async () => void order.push(name)));
    first.release();
    next.push(w.pool.use(async () => void order.push('newcomer')));
    await Promise.all(next);
    expect(order).toEqual(['a', 'b', 'c', 'newcomer']);
  });

  it('gives a session that comes back to who waits, and does not let him wait for a new one', async () => {
    const w = world();
    const first = await taken(w);
    const second = w.pool.acquire(); // 10 ms away
    await w.clock.advance(2);
    first.release();
    expect((await second).session.id).toBe(0);
    await w.clock.advance(20);
    expect(w.pool.state).toMatchObject({ idle: 1, lent: 1 });
    expect((await w.pool.acquire()).session.id).toBe(1); // made meanwhile, and not for nothing
  });

  it('takes a session back once, in whatever way', async () => {
    const w = world();
    const lent = await taken(w);
    lent.release();
    lent.release();
    await lent.destroy();
    await lent[Symbol.asyncDispose]();
    expect([w.pool.state.idle, w.living()]).toEqual([1, 1]);
  });

  it('lends McpTx instances, and ends them by closing them', async () => {
    const clock = virtualClock();
    const servers: ScriptedServer[] = [];
    const create = async () => {
      const server = new ScriptedServer();
      servers.push(server);
      return createMcpTx({ ...quick, clock, name: 'stateful', server: withSignOfLife(server) });
    };
    const pool = createPool({ create, max: 3, clock, pingIfIdleMs: 100 });
    expect(await pool.use((tx) => tx.callTool('pay'))).toMatchObject({ meta: { execution: 'done' } });
    (servers[0] as ScriptedServer).isUp = false;
    await clock.advance(101);
    await pool.use((tx) => tx.callTool('pay'));
    expect(servers.map(({ sends, closed }) => [sends.length, closed])).toEqual([
      [1, 1],
      [1, 0],
    ]);
    await pool.close();
    expect(servers.map(({ closed }) => closed)).toEqual([1, 1]);
  });
});

describe('a session that cannot be made', () => {
  it('is told to the one who waits longest, and costs no place (T28)', async () => {
    let refusals = 2;
    const create = async (): Promise<Session> => {
      refusals -= 1;
      if (refusals >= 0) throw new Error('no such command');
      return { id: 0, alive: true, ended: false };
    };
    const pool = createPool<Session>({ max: 1, create, clock: virtualClock() });
    const outcomes = await Promise.allSettled([pool.acquire(), pool.acquire(), pool.acquire()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(outcomes[0]).toMatchObject({
      reason: { code: 'CONNECTION_FAILED', execution: 'none', message: expect.stringContaining('no such command') },
    });
    expect(pool.state).toMatchObject({ size: 1, lent: 1, waiting: 0 });
  });

  it('keeps an error of ours as it is; what throws at once, or makes nothing, is an error, too', async () => {
    const own = new McpTxError('UNAUTHORIZED', 'no');
    const failing = (create: () => unknown) => createPool({ max: 1, create: create as never }).acquire();
    await expect(failing(() => Promise.reject(own))).rejects.toBe(own);
    const thrown = () => {
      throw new Error('at once');
    };
    await expect(failing(thrown)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    await expect(failing(async () => undefined)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('in time is given up; one that comes later is ended, and was never lent', async () => {
    const late: Session = { id: 9, alive: true, ended: false };
    let signal: AbortSignal | undefined;
    const clock = virtualClock();
    const create = async (given: AbortSignal): Promise<Session> => {
      signal = given;
      await wait(clock, 80);
      return late;
    };
    const destroy = async (session: Session): Promise<void> => {
      session.ended = true;
    };
    const pool = createPool<Session>({ max: 1, create, destroy, createTimeoutMs: 50, clock });
    const acquired = pool.acquire();
    acquired.catch(() => undefined);
    await clock.advance(50);
    await expect(acquired).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect([signal?.aborted, pool.state.size, late.ended]).toEqual([true, 0, false]);
    await clock.advance(30);
    expect([pool.state.size, late.ended]).toEqual([0, true]);
  });
});

describe('a session that may have died', () => {
  it('is checked when it was idle for long, and replaced when it is dead (T29)', async () => {
    const w = world({ pingIfIdleMs: 100 });
    (await taken(w)).release();
    (w.made[0] as Session).alive = false;
    await w.clock.advance(100);
    expect((await w.pool.acquire()).session.id).toBe(0); // not idle for longer than that: believed
    expect(w.made).toHaveLength(1);
    const v = world({ pingIfIdleMs: 100 });
    (await taken(v)).release();
    (v.made[0] as Session).alive = false;
    await v.clock.advance(101);
    expect((await taken(v)).session.id).toBe(1);
    expect(v.made.map(({ ended }) => ended)).toEqual([true, false]);
  });

  it.each<[string, Partial<PoolOptions<Session>>, number]>([
    ['does not answer', { check: never }, 2_000],
    ['throws', { check: async () => Promise.reject(new Error('gone')) }, 0],
  ])('and %s is dead', async (_how, options, afterMs) => {
    const w = world({ ...options, pingIfIdleMs: 0, max: 1 });
    (await taken(w)).release();
    await w.clock.advance(1);
    const next = w.pool.acquire();
    await w.clock.advance(afterMs + 10);
    expect((await next).session.id).toBe(1);
  });

  it('is checked after a use that threw, and only then', async () => {
    const checked: number[] = [];
    const check = async ({ id }: Session) => checked.push(id) > 0;
    const w = world({ check });
    (await taken(w)).release();
    await w.pool.use(async () => undefined);
    expect(checked).toEqual([]);
    await expect(w.pool.use(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    await w.pool.use(async () => undefined);
    await w.pool.use(async () => undefined);
    expect(checked).toEqual([0]);
  });

  it('is ended when its borrower says so; its place is free when it has ended', async () => {
    const ends: (() => void)[] = [];
    const w = world({ max: 1, destroy: () => new Promise((resolve) => void ends.push(resolve)) });
    const lent = await taken(w);
    const next = w.pool.acquire();
    const destroyed = lent.destroy();
    await w.clock.advance(50);
    expect([w.made.length, w.pool.state.size]).toEqual([1, 1]); // two at once would be more than max
    ends[0]?.();
    await destroyed;
    await w.clock.advance(10);
    expect((await next).session.id).toBe(1);
  });

  it('and never ends is waited for 10 s, and then counted as gone', async () => {
    const w = world({ max: 1, destroy: never, acquireTimeoutMs: 60_000 });
    void (await taken(w)).destroy();
    const next = w.pool.acquire();
    await w.clock.advance(9_999);
    expect(w.made).toHaveLength(1);
    await w.clock.advance(11);
    expect((await next).session.id).toBe(1);
  });
});

describe('a session that is idle', () => {
  it('is ended after idleTimeoutMs; the one that was used last is lent first, so that the others can be', async () => {
    const w = world({ idleTimeoutMs: 1_000 });
    const [a, b] = [w.pool.acquire(), w.pool.acquire()];
    await w.clock.advance(10);
    (await a).release();
    await w.clock.advance(100);
    (await b).release();
    await w.clock.advance(500);
    await w.pool.use(async ({ id }) => expect(id).toBe(1));
    await w.clock.advance(400);
    expect(w.made.map(({ ended }) => ended)).toEqual([true, false]);
    await w.clock.advance(600);
    expect([w.pool.state.size, w.clock.pending]).toEqual([0, 0]);
  });

  it('or lent is not used again once it is older than maxLifetimeMs', async () => {
    const w = world({ maxLifetimeMs: 1_000, max: 1 });
    (await taken(w)).release();
    await w.clock.advance(1_000);
    expect(w.made[0]?.ended).toBe(true);
    const lent = await taken(w);
    await w.clock.advance(5_000);
    expect(lent.session.ended).toBe(false); // not taken away from its borrower
    lent.release();
    await w.clock.settle();
    expect([lent.session.ended, w.pool.state.size]).toEqual([true, 0]);
  });
});

describe('a caller in line', () => {
  it('leaves at its deadline, or by its signal, and nothing of it stays (T30)', async () => {
    const w = world({ max: 1, acquireTimeoutMs: 300 });
    const lent = await taken(w);
    const abort = new AbortController();
    const late = w.pool.acquire().catch((error: unknown) => error);
    const short = w.pool.acquire({ timeoutMs: 50 }).catch((error: unknown) => error);
    const gone = w.pool.acquire({ signal: abort.signal }).catch((error: unknown) => error);
    expect(w.pool.state.waiting).toBe(3);
    abort.abort();
    expect(await gone).toMatchObject({ code: 'ABORTED', execution: 'none', retryable: true });
    await w.clock.advance(50);
    expect(await short).toMatchObject({ code: 'DEADLINE_EXCEEDED', execution: 'none', retryable: true });
    await w.clock.advance(250);
    expect(await late).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect([w.pool.state.waiting, w.clock.pending]).toEqual([0, 0]);
    lent.release();
    await expect(w.pool.acquire({ signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    const served = new AbortController();
    await w.pool.use(async () => undefined, { signal: served.signal });
    expect(getEventListeners(served.signal, 'abort')).toEqual([]);
  });

  it('who leaves while a session is made for him leaves it to the next', async () => {
    const w = world({ max: 1 });
    const abort = new AbortController();
    const gone = w.pool.acquire({ signal: abort.signal }).catch(() => 'gone');
    await w.clock.advance(5);
    abort.abort();
    const next = w.pool.acquire();
    await w.clock.advance(5);
    expect([await gone, (await next).session.id, w.made.length]).toEqual(['gone', 0, 1]);
  });

  it('is turned away when the line is full', async () => {
    const w = world({ max: 1, maxWaiting: 1 });
    const lent = w.pool.acquire();
    const second = w.pool.acquire();
    await expect(w.pool.acquire()).rejects.toMatchObject({ code: 'OVERLOADED', execution: 'none' });
    await w.clock.advance(10);
    await expect(w.pool.acquire()).rejects.toMatchObject({ code: 'OVERLOADED' });
    (await lent).release();
    await second;
    const third = w.pool.acquire();
    (await second).release();
    await third;
    const none = world({ max: 1, maxWaiting: 0 });
    expect((await taken(none)).session.id).toBe(0);
    await expect(none.pool.acquire()).rejects.toMatchObject({ code: 'OVERLOADED' });
  });
});

describe('the end of a pool', () => {
  it('drained: who is in line is served, nobody else, and every session ends once it is back', async () => {
    const w = world({ max: 1 });
    const lent = await taken(w);
    const inLine = w.pool.acquire();
    let isDrained = false;
    const drained = w.pool.drain().then(() => {
      isDrained = true;
    });
    await expect(w.pool.acquire()).rejects.toMatchObject({ code: 'CLOSED' });
    lent.release();
    (await inLine).release();
    expect(isDrained).toBe(false);
    await drained;
    expect([w.made.length, w.living(), w.clock.pending]).toEqual([1, 0, 0]);
    await world().pool.drain(); // an empty one has nothing to wait for
  });

  it('[G:I12] closed: who waits is turned away, borrowers get their grace, and neither session nor timer is left', async () => {
    const w = world({ max: 3, idleTimeoutMs: 1_000 });
    const [slow, quickly, idle] = [w.pool.acquire(), w.pool.acquire(), w.pool.acquire()];
    await w.clock.advance(10);
    (await idle).release();
    const full = [w.pool.acquire(), w.pool.acquire()];
    const refused = (full[1] as Promise<unknown>).catch((error: unknown) => error);
    await full[0];
    const closing = w.pool.close({ graceMs: 200 });
    expect(w.pool.close()).toBe(closing);
    expect(await refused).toMatchObject({ code: 'CLOSED' });
    await expect(w.pool.acquire()).rejects.toMatchObject({ code: 'CLOSED' });
    (await quickly).release();
    await w.clock.advance(199);
    expect(w.living()).toBe(2);
    await w.clock.advance(1);
    await closing;
    expect([w.living(), w.clock.pending, w.pool.state.size]).toEqual([0, 0, 0]);
    (await slow).release(); // it is not ours any more
    expect(w.pool.state).toEqual({ size: 0, idle: 0, lent: 0, waiting: 0 });
  });

  it('closed while sessions are made or checked: gives both up, and ends what comes of them', async () => {
    const w = world({ max: 2, pingIfIdleMs: 0, check: never });
    (await taken(w)).release();
    await w.clock.advance(1);
    const refused = [w.pool.acquire(), w.pool.acquire()].map((acquired) => acquired.catch((error: unknown) => error));
    await w.pool[Symbol.asyncDispose]();
    expect(await Promise.all(refused)).toMatchObject([{ code: 'CLOSED' }, { code: 'CLOSED' }]);
    await w.clock.advance(10); // the late one comes
    expect([w.made.length, w.living(), w.clock.pending]).toEqual([2, 0, 0]);
  });
});

describe('options of a pool', () => {
  const create = async () => ({});
  it.each([
    ['createPool takes', undefined],
    ['create must be a function', { max: 1 }],
    ['max must be', { create, max: 0 }],
    ['max must be', { create, max: 1.5 }],
    ['maxWaiting', { create, max: 1, maxWaiting: -1 }],
    ['acquireTimeoutMs', { create, max: 1, acquireTimeoutMs: -1 }],
    ['idleTimeoutMs', { create, max: 1, idleTimeoutMs: Number.NaN }],
    ['pingIfIdleMs', { create, max: 1, pingIfIdleMs: 2 ** 31 }],
    ['maxLifetimeMs', { create, max: 1, maxLifetimeMs: 0 }],
    ['check must be', { create, max: 1, check: true }],
    ['idleTimeoutMS is not known', { create, max: 1, idleTimeoutMS: 5 }],
  ])('are refused: %s', (message, options) => {
    const refused = expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) });
    expect(() => createPool(options as never)).toThrow(refused);
  });

  it('of a wait are, too', async () => {
    await expect(world().pool.acquire({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'CALL_INVALID' });
    await expect(world().pool.acquire({ timeoutMs: Number.NaN })).rejects.toMatchObject({ code: 'CALL_INVALID' });
  });
});
