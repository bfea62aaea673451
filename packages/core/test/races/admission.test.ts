// DESIGN 3.6: the gate never lets more in, keeps more waiting, or loses a slot, in whatever order calls come, go and give up.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Admission } from '../../src/engine/admission.ts';
import { virtualClock } from '../../src/runtime/virtual-clock.ts';
import { Branches, races } from '../support/race.ts';

/** Nobody is refused for want of time here: this is about slots and places. */
const IN_TIME = { deadline: Number.POSITIVE_INFINITY };
const LIMITS = { maxInFlight: 2, maxQueued: 3, maxQueuedLength: 100 };

/** `pick` chooses among those who are there; nobody there: nothing happens. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('enter' as const), length: fc.constantFrom(1, 10, 45, 120) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('leave' as const), pick: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('abort' as const), pick: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('look' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Branch =
  | 'entered at once'
  | 'stood in line'
  | 'refused'
  | 'too long'
  | 'slot handed over'
  | 'gave up'
  | 'aborted inside';

/** One call, as the model has it, beside what the gate told it. */
interface Call {
  readonly length: number;
  readonly abort: AbortController;
  told: 'nothing' | 'in' | 'out';
}

type Saw = (name: Branch) => void;

/** The model: those inside, those in line, and what each of them must have been told. */
class Model {
  readonly inside: Call[] = [];
  readonly line: Call[] = [];
  readonly expected: Map<Call, 'in' | 'out'> = new Map();

  get length(): number {
    return [...this.inside, ...this.line].reduce((sum, call) => sum + call.length, 0);
  }

  fits(length: number): boolean {
    return this.length === 0 || this.length + length <= LIMITS.maxQueuedLength;
  }
}

/** Comes to the gate; the model says what must happen. */
function enter(gate: Admission, model: Model, length: number, saw: Saw): void {
  const call: Call = { length, abort: new AbortController(), told: 'nothing' };
  const isFree = model.inside.length < LIMITS.maxInFlight && model.line.length === 0 && model.fits(length);
  expect(gate.tryEnter(length)).toBe(isFree);
  if (isFree) {
    model.inside.push(call);
    saw('entered at once');
    return;
  }
  if (model.line.length >= LIMITS.maxQueued || !model.fits(length)) {
    expect(() => gate.enter(length, IN_TIME, call.abort.signal)).toThrow(
      expect.objectContaining({ code: 'OVERLOADED' }),
    );
    saw(model.fits(length) ? 'refused' : 'too long');
    return;
  }
  void gate.enter(length, IN_TIME, call.abort.signal).then((isIn) => {
    expect(call.told).toBe('nothing');
    call.told = isIn ? 'in' : 'out';
  });
  model.line.push(call);
  saw('stood in line');
}

function leave(gate: Admission, model: Model, pick: number, saw: Saw): void {
  const [call] = model.inside.splice(pick % Math.max(1, model.inside.length), 1);
  if (call === undefined) return;
  gate.leave(call.length);
  const next = model.line.shift();
  if (next === undefined) return;
  model.inside.push(next);
  model.expected.set(next, 'in');
  saw('slot handed over');
}

/** Those who are inside, or were just let in and do not know it yet, keep their slot: they give it back themselves. */
function abort(model: Model, pick: number, saw: Saw): void {
  const all = [...model.line, ...model.inside];
  const call = all[pick % Math.max(1, all.length)];
  if (call === undefined || call.abort.signal.aborted) return;
  call.abort.abort();
  const place = model.line.indexOf(call);
  saw(place < 0 ? 'aborted inside' : 'gave up');
  if (place < 0) return;
  model.line.splice(place, 1);
  model.expected.set(call, 'out');
}

async function take(gate: Admission, model: Model, drawn: Step, saw: Saw): Promise<void> {
  if (drawn.does === 'enter') enter(gate, model, drawn.length, saw);
  else if (drawn.does === 'leave') leave(gate, model, drawn.pick, saw);
  else if (drawn.does === 'abort') abort(model, drawn.pick, saw);
  else await expectTold(model);
  expect([gate.inFlight, gate.queued]).toEqual([model.inside.length, model.line.length]);
}

/** Everybody has heard what the model says, and those in line have heard nothing. */
async function expectTold({ expected, line }: Model): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  for (const [call, told] of expected) expect(call.told).toBe(told);
  for (const call of line) expect(call.told).toBe('nothing');
}

/** The whole capacity is there again, and not more than that. */
function expectEmpty(gate: Admission): void {
  expect([gate.inFlight, gate.queued]).toEqual([0, 0]);
  expect([1, LIMITS.maxQueuedLength - 1, 1].map((length) => gate.tryEnter(length))).toEqual([true, true, false]);
  gate.leave(LIMITS.maxQueuedLength - 1);
  gate.leave(1);
  expect([gate.tryEnter(1), gate.tryEnter(LIMITS.maxQueuedLength)]).toEqual([true, false]);
}

describe('the gate before a server', () => {
  it('does what its model does, and has every slot and all room back in the end', async () => {
    const branches = new Branches<Branch>(
      ...(['entered at once', 'stood in line', 'refused', 'too long'] as const),
      ...(['slot handed over', 'gave up', 'aborted inside'] as const),
    );
    const saw: Saw = (name) => branches.saw(name);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const gate = new Admission(LIMITS, virtualClock());
        const model = new Model();
        for (const drawn of steps) await take(gate, model, drawn, saw);
        while (model.line.length > 0) abort(model, 0, saw);
        while (model.inside.length > 0) leave(gate, model, 0, saw);
        await expectTold(model);
        expectEmpty(gate);
      }),
      races(1_500),
    );
    branches.expectAll();
  });
});
