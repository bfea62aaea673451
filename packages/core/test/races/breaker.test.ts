// DESIGN 3.6: the breaker is closed, open or half-open as its model says, and a half-open one never lets more than k probes through.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Breaker } from '../../src/engine/breaker.ts';
import { virtualClock } from '../../src/index.ts';
import { evenRandom } from '../support/in-turn.ts';
import { Branches, races } from '../support/race.ts';

const OPEN_MS = 1_000 * (1 + 0.5 / 4); // jittered by a random number that is always a half

/** A call that was let through and has not said how it went. */
interface Sent {
  readonly isProbe: boolean;
  /** The breaker had opened so often when it was let through; as the model counts, and as the breaker does. */
  readonly period: number;
  readonly ticket: number;
}

interface Model {
  readonly threshold: number;
  readonly probes: number;
  now: number;
  failures: number;
  openUntil: number | undefined;
  period: number;
  sent: readonly Sent[];
}

type Branch =
  | 'admitted'
  | 'refused while open'
  | 'probing'
  | 'refused a probe'
  | 'withdrawn'
  | 'closed again'
  | 'opened again'
  | 'late word';

/** What a run of commands works on. */
interface Real {
  readonly breaker: Breaker;
  pass(ms: number): Promise<void>;
}

const branches = new Branches<Branch>(
  ...(['admitted', 'refused while open', 'probing', 'refused a probe'] as const),
  ...(['withdrawn', 'closed again', 'opened again', 'late word'] as const),
);

function stateOf({ openUntil, now }: Model): 'closed' | 'open' | 'half-open' {
  if (openUntil === undefined) return 'closed';
  return now < openUntil ? 'open' : 'half-open';
}

/** Probes of this half-open time that have not said how they went. */
function probesOut({ sent, period }: Model): number {
  return sent.filter((one) => one.isProbe && one.period === period).length;
}

class Admit implements fc.AsyncCommand<Model, Real> {
  check = (): boolean => true;

  async run(model: Model, { breaker }: Real): Promise<void> {
    const state = stateOf(model);
    const admittance = breaker.admit();
    if (state === 'open') {
      branches.saw('refused while open');
      expect(admittance).toEqual({ retryInMs: (model.openUntil as number) - model.now });
    } else if (state === 'half-open' && probesOut(model) >= model.probes) {
      branches.saw('refused a probe');
      expect(admittance).toEqual({ retryInMs: expect.any(Number) });
    } else {
      const isProbe = state === 'half-open';
      branches.saw(isProbe ? 'probing' : 'admitted');
      expect(admittance).toBe(isProbe ? 'probing' : 'admitted');
      model.sent = [...model.sent, { isProbe, period: model.period, ticket: breaker.period }];
    }
    expect(breaker.state).toBe(stateOf(model));
  }

  toString = (): string => 'admit';
}

type Says = 'succeeded' | 'failed' | 'withdrawn';

/** A call says how it went. Only a probe has to, when it proves nothing. */
class Word implements fc.AsyncCommand<Model, Real> {
  readonly #says: Says;
  readonly #pick: number;

  constructor(says: Says, pick: number) {
    this.#says = says;
    this.#pick = pick;
  }

  check = (model: Readonly<Model>): boolean => this.#speakers(model).length > 0;

  async run(model: Model, { breaker }: Real): Promise<void> {
    const speakers = this.#speakers(model);
    const one = speakers[this.#pick % speakers.length] as Sent;
    model.sent = model.sent.filter((other) => other !== one);
    branches.saw('late word', one.isProbe && one.period !== model.period);
    branches.saw('withdrawn', this.#says === 'withdrawn');
    const before = stateOf(model);
    if (this.#says === 'succeeded') succeed(model);
    if (this.#says === 'failed') fail(model);
    branches.saw('closed again', before === 'half-open' && stateOf(model) === 'closed');
    branches.saw('opened again', before === 'half-open' && stateOf(model) === 'open');
    if (this.#says === 'withdrawn') breaker.withdrawn(one.ticket);
    else breaker[this.#says]();
    expect(breaker.state).toBe(stateOf(model));
    expect(breaker.isClosed).toBe(stateOf(model) === 'closed');
  }

  toString = (): string => `${this.#says}(${this.#pick})`;

  #speakers({ sent }: Readonly<Model>): readonly Sent[] {
    return this.#says === 'withdrawn' ? sent.filter((one) => one.isProbe) : sent;
  }
}

class Pass implements fc.AsyncCommand<Model, Real> {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  check = (): boolean => true;

  async run(model: Model, real: Real): Promise<void> {
    await real.pass(this.#ms);
    model.now += this.#ms;
    expect(real.breaker.state).toBe(stateOf(model));
  }

  toString = (): string => `${this.#ms} ms pass`;
}

function succeed(model: Model): void {
  model.failures = 0;
  model.openUntil = undefined;
}

function fail(model: Model): void {
  model.failures += 1;
  if (model.openUntil === undefined && model.failures < model.threshold) return;
  model.openUntil = model.now + OPEN_MS;
  model.period += 1;
}

const word = (says: Says): fc.Arbitrary<Word> => fc.constantFrom(0, 0, 1, 2).map((pick) => new Word(says, pick));
const admit = fc.constant(new Admit());
const pass = fc.constantFrom(600, OPEN_MS, OPEN_MS).map((ms) => new Pass(ms));

/** What opens it again and again is drawn more often: a closed one is soon told. */
const commands = fc.commands(
  [
    admit,
    admit,
    admit,
    admit,
    word('succeeded'),
    word('failed'),
    word('failed'),
    word('withdrawn'),
    word('withdrawn'),
    pass,
    pass,
  ],
  { maxCommands: 100, size: 'max' },
);

describe('the breaker', () => {
  it('does what its model does: closed, open, half-open, and at most k probes at once', async () => {
    await fc.assert(
      fc.asyncProperty(commands, fc.constantFrom(1, 1, 2, 3), fc.constantFrom(1, 2), (drawn, threshold, k) => {
        const clock = virtualClock();
        const options = { failureThreshold: threshold, openMs: 1_000, halfOpenProbes: k };
        const setup = () => ({
          model: { threshold, probes: k, now: 0, failures: 0, openUntil: undefined, period: 0, sent: [] } as Model,
          real: {
            breaker: new Breaker(options, clock, evenRandom('b'), () => undefined),
            pass: (ms: number) => clock.advance(ms),
          },
        });
        return fc.asyncModelRun(setup, drawn);
      }),
      races(3_000),
    );
    branches.expectAll();
  });
});
