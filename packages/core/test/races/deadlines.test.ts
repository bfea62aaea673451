// DESIGN 3.5: however deadlines are added and cancelled, each one left passes once, at its time and in order, and no timer stays.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../src/index.ts';
import type { Deadline } from '../../src/runtime/deadlines.ts';
import { createDeadlines } from '../../src/runtime/deadlines.ts';
import { Branches, races } from '../support/race.ts';

/** `lateMs`: the call began that long before its deadline was made. `again`: who is woken makes another one. */
const step = fc.oneof(
  fc.record({
    does: fc.constant('add' as const),
    durationMs: fc.constantFrom(10, 10, 50),
    lateMs: fc.constantFrom(0, 0, 3, 9),
    again: fc.boolean(),
  }),
  fc.record({ does: fc.constant('cancel' as const), pick: fc.nat(9) }),
  fc.record({ does: fc.constant('pass' as const), ms: fc.constantFrom(1, 7, 20) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Branch = 'woken' | 'cancelled' | 'cancelled the head' | 'passed another' | 'added while woken' | 'many at once';

interface Call {
  readonly at: number;
  readonly deadline: Deadline;
  isCancelled: boolean;
  wokenAt: number | undefined;
}

/** All deadlines of one run, beside what they should do. */
class Run {
  readonly clock = virtualClock();
  readonly deadlines = createDeadlines(this.clock);
  readonly calls: Call[] = [];
  readonly #branches: Branches<Branch>;

  constructor(branches: Branches<Branch>) {
    this.#branches = branches;
  }

  get pending(): readonly Call[] {
    return this.calls.filter((call) => !call.isCancelled && call.wokenAt === undefined);
  }

  add(durationMs: number, lateMs: number, again: boolean): void {
    const at = this.clock.monotonic() + durationMs - lateMs;
    this.#branches.saw(
      'passed another',
      this.pending.some((other) => other.at > at),
    );
    const sleeper = { wake: () => this.#woken(call, durationMs, again) };
    const call: Call = {
      at,
      deadline: this.deadlines.add(at, durationMs, sleeper),
      isCancelled: false,
      wokenAt: undefined,
    };
    this.calls.push(call);
  }

  cancel(pick: number): void {
    const call = this.calls[pick % Math.max(1, this.calls.length)];
    if (call === undefined) return;
    const wasPending = this.pending.includes(call);
    this.#branches.saw('cancelled', wasPending);
    this.#branches.saw('cancelled the head', wasPending && this.pending.every((other) => other.at >= call.at));
    call.deadline.cancel(); // a second time, or after it has passed, too
    if (wasPending) call.isCancelled = true;
  }

  #woken(call: Call, durationMs: number, again: boolean): void {
    expect(call.wokenAt).toBeUndefined();
    expect(call.isCancelled).toBe(false);
    call.wokenAt = this.clock.monotonic();
    expect(call.wokenAt).toBe(call.at);
    this.#branches.saw('woken');
    this.#branches.saw(
      'many at once',
      this.pending.some((other) => other.at === call.at),
    );
    if (!again) return;
    this.#branches.saw('added while woken');
    this.add(durationMs, 0, false);
  }
}

async function take(run: Run, drawn: Step): Promise<void> {
  if (drawn.does === 'add') run.add(drawn.durationMs, drawn.lateMs, drawn.again);
  else if (drawn.does === 'cancel') run.cancel(drawn.pick);
  else await run.clock.advance(drawn.ms);
  expect(run.deadlines.size).toBe(run.pending.length);
  expect(run.clock.pending).toBeLessThanOrEqual(2); // one timer for each duration
  expect(run.pending.filter((call) => call.at < run.clock.monotonic())).toEqual([]);
}

describe('deadlines', () => {
  it('pass once, at their time, unless they were cancelled', async () => {
    const branches = new Branches<Branch>(
      ...(['woken', 'cancelled', 'cancelled the head', 'passed another', 'added while woken', 'many at once'] as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
        const run = new Run(branches);
        for (const drawn of steps) await take(run, drawn);
        await run.clock.advance(200);
        expect([run.deadlines.size, run.pending.length, run.clock.pending]).toEqual([0, 0, 0]);
      }),
      races(400),
    );
    branches.expectAll();
  });
});
