// A pool in every order of events that a scheduler draws: never more sessions than allowed, never two borrowers of one, every caller
// answered once, and nothing left in the end.
import type { Scheduler } from 'fast-check';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pool, PooledSession, VirtualClock } from '../../src/index.ts';
import { createPool, isMcpTxError, virtualClock } from '../../src/index.ts';
import type { Turns } from '../support/race.ts';
import { Branches, inParallel, races, turn, untilQuiet } from '../support/race.ts';

const MAX = 2;

const borrower = fc.record({
  timeoutMs: fc.constantFrom(20, 60, 5_000),
  leaves: fc.constantFrom('stays', 'stays', 'stays', 'aborts'),
  /** How it gives back what it got. `keeps`: never. */
  returns: fc.constantFrom('releases', 'releases', 'doubts', 'destroys', 'twice', 'keeps'),
});
const script = fc.record({
  borrowers: fc.array(borrower, { minLength: 1, maxLength: 6 }),
  makings: fc.array(fc.constantFrom('ok', 'ok', 'fails', 'hangs'), { maxLength: 5 }),
  checks: fc.array(fc.constantFrom('alive', 'dead', 'hangs'), { maxLength: 4 }),
  ends: fc.array(fc.constantFrom('ok', 'ok', 'fails', 'hangs'), { maxLength: 4 }),
  finale: fc.constantFrom('none', 'close', 'drain'),
  calm: fc.boolean(),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;
type Borrowing = Script['borrowers'][number];

type Branch =
  | 'shared a session'
  | 'waited'
  | 'aborted'
  | 'too late'
  | 'could not be made'
  | 'made too late'
  | 'replaced'
  | 'refused at the end'
  | 'drained in use';

interface Session {
  readonly id: number;
  borrower: number | undefined;
  ended: boolean;
  borrowings: number;
}

/** Everything outside of the pool: sessions as they really are. */
class Outside {
  readonly sessions: Session[] = [];
  readonly complaints: string[] = [];
  readonly #scheduler: Scheduler;
  readonly #script: { readonly [What in 'makings' | 'checks' | 'ends']: string[] };
  madeTooLate = 0;
  /** Being made, or living, as far as anybody has not given them up. */
  counted = 0;

  constructor(scheduler: Scheduler, { makings, checks, ends }: Script) {
    this.#scheduler = scheduler;
    this.#script = { makings: [...makings], checks: [...checks], ends: [...ends] };
  }

  readonly create = async (signal: AbortSignal): Promise<Session> => {
    this.#count(1);
    const giveUp = (): void => this.#count(-1);
    signal.addEventListener('abort', giveUp, { once: true });
    const fate = this.#script.makings.shift();
    if (fate === 'hangs') return new Promise(() => undefined);
    await turn(this.#scheduler, `a session is made: ${fate ?? 'ok'}`);
    signal.removeEventListener('abort', giveUp);
    if (signal.aborted) this.madeTooLate += 1;
    if (fate === 'fails') {
      if (!signal.aborted) this.#count(-1);
      throw new Error('cannot be made');
    }
    const session = { id: this.sessions.length, borrower: undefined, ended: false, borrowings: 0 };
    this.sessions.push(session);
    if (signal.aborted) this.#count(1, true);
    return session;
  };

  readonly check = async (session: Session): Promise<boolean> => {
    if (session.borrower !== undefined) this.complaints.push('a session was checked while it was lent');
    const fate = this.#script.checks.shift();
    if (fate === 'hangs') return new Promise(() => undefined);
    await turn(this.#scheduler, `a session is checked: ${fate ?? 'alive'}`);
    return fate !== 'dead';
  };

  readonly destroy = async (session: Session): Promise<void> => {
    if (session.ended) this.complaints.push('a session was ended twice');
    session.ended = true;
    const fate = this.#script.ends.shift();
    if (fate === 'hangs') {
      this.counted -= 1; // the pool gives up on it by and by
      return new Promise(() => undefined);
    }
    await turn(this.#scheduler, `a session ends: ${fate ?? 'ok'}`);
    this.counted -= 1;
    if (fate === 'fails') throw new Error('cannot be ended');
  };

  /** `isLate`: it lives for as long as it takes to end it, and nobody can help that. */
  #count(by: number, isLate = false): void {
    this.counted += by;
    if (this.counted > MAX && !isLate && this.madeTooLate === 0)
      this.complaints.push(`${this.counted} sessions at once`);
  }
}

/** One caller: what it wants, and what it was told. */
class Borrower {
  readonly #n: number;
  readonly #wants: Borrowing;
  readonly #abort = new AbortController();
  answers = 0;
  code: string | undefined;
  lent: PooledSession<Session> | undefined;
  waitedMs = 0;

  constructor(n: number, wants: Borrowing) {
    this.#n = n;
    this.#wants = wants;
  }

  turns(pool: Pool<Session>, clock: VirtualClock, outside: Outside): readonly Turns[] {
    const ask = (): void => void this.#borrow(pool, clock, outside);
    const asking: Turns = [[`${this.#n} asks`, ask]];
    const leaving: Turns = [[`${this.#n} leaves`, () => this.#abort.abort()]];
    const returning: Turns = [
      [`${this.#n} works`, () => clock.settle()],
      [`${this.#n} returns it`, () => this.giveBack(this.#wants.returns)],
    ];
    return this.#wants.leaves === 'aborts' ? [asking, leaving, returning] : [asking, returning];
  }

  async #borrow(pool: Pool<Session>, clock: VirtualClock, outside: Outside): Promise<void> {
    const { timeoutMs } = this.#wants;
    const began = clock.monotonic();
    try {
      this.lent = await pool.acquire({ timeoutMs, signal: this.#abort.signal });
      this.#look(this.lent.session, outside);
    } catch (error) {
      this.code = isMcpTxError(error) ? error.code : String(error);
    }
    this.answers += 1;
    this.waitedMs = clock.monotonic() - began;
    if (this.waitedMs > timeoutMs) outside.complaints.push(`${this.#n} waited for ${this.waitedMs} ms`);
  }

  #look(session: Session, { complaints }: Outside): void {
    if (session.ended) complaints.push(`${this.#n} got a session that had ended`);
    if (session.borrower !== undefined) complaints.push(`${this.#n} got a session that ${session.borrower} has`);
    session.borrower = this.#n;
    session.borrowings += 1;
  }

  /** Whatever it has, in the way it wants to. */
  giveBack(how: Borrowing['returns']): void {
    const { lent } = this;
    if (lent === undefined || how === 'keeps') return;
    lent.session.borrower = undefined;
    if (how === 'destroys') void lent.destroy();
    else lent.release({ check: how === 'doubts' });
    if (how === 'twice') lent.release();
    this.lent = undefined;
  }

  get wasAborted(): boolean {
    return this.#abort.signal.aborted;
  }
}

interface Run {
  readonly outside: Outside;
  readonly pool: Pool<Session>;
  readonly clock: VirtualClock;
  readonly borrowers: readonly Borrower[];
}

function begin(drawn: Script, scheduler: Scheduler, branches: Branches<Branch>): Run {
  const clock = virtualClock();
  const outside = new Outside(scheduler, drawn);
  const { create, check, destroy } = outside;
  const times = { createTimeoutMs: 300, idleTimeoutMs: 400, pingIfIdleMs: 0, maxLifetimeMs: 900 };
  const pool = createPool<Session>({ create, check, destroy, max: MAX, clock, ...times });
  const borrowers = drawn.borrowers.map((wants, n) => new Borrower(n, wants));
  const end = (): void => {
    branches.saw('drained in use', drawn.finale === 'drain' && pool.state.lent > 0);
    if (drawn.finale === 'close') void pool.close({ graceMs: 50 });
    if (drawn.finale === 'drain') void pool.drain();
  };
  inParallel(scheduler, [...borrowers.flatMap((one) => one.turns(pool, clock, outside)), [['the end', end]]]);
  return { outside, pool, clock, borrowers };
}

function look({ pool, outside }: Run): void {
  const { size, idle, lent } = pool.state;
  if (size > MAX || idle + lent > size || size < 0) outside.complaints.push(JSON.stringify(pool.state));
}

function note({ borrowers, outside }: Run, branches: Branches<Branch>): void {
  const codes = borrowers.map(({ code }) => code);
  branches.sawThese({
    'shared a session': outside.sessions.some(({ borrowings }) => borrowings > 1),
    waited: borrowers.some(({ code, waitedMs }) => code === undefined && waitedMs > 0),
    aborted: codes.includes('ABORTED'),
    'too late': codes.includes('DEADLINE_EXCEEDED'),
    'could not be made': codes.includes('CONNECTION_FAILED'),
    'made too late': outside.madeTooLate > 0,
    replaced: outside.sessions.length > 1 && outside.sessions[0]?.ended === true,
    'refused at the end': codes.includes('CLOSED'),
  });
}

describe('a pool', () => {
  it('keeps to its bound, lends each session to one borrower, answers everybody once, and leaves nothing', async () => {
    const branches = new Branches<Branch>(
      ...(['shared a session', 'waited', 'aborted', 'too late', 'could not be made'] as const),
      ...(['made too late', 'replaced', 'refused at the end', 'drained in use'] as const),
    );
    await fc.assert(
      fc.asyncProperty(script, fc.scheduler(), async (drawn, scheduler) => {
        const run = begin(drawn, scheduler, branches);
        const { borrowers, clock, outside, pool } = run;
        await untilQuiet(scheduler, clock, { calm: drawn.calm, atRest: () => look(run) });
        expect(borrowers.map(({ answers }) => answers)).toEqual(borrowers.map(() => 1));
        for (const one of borrowers) one.giveBack('releases'); // what was kept, or came after its turn to go back
        const closing = pool.close();
        await untilQuiet(scheduler, clock, { calm: drawn.calm });
        await closing;
        expect(outside.complaints).toEqual([]);
        expect(outside.sessions.filter(({ ended }) => !ended)).toEqual([]);
        expect([pool.state, clock.pending]).toEqual([{ size: 0, idle: 0, lent: 0, waiting: 0 }, 0]);
        note(run, branches);
      }),
      races(1_000),
    );
    branches.expectAll();
  });
});
