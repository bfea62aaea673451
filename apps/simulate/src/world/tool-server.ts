// The tool server: it has effects, keeps or keeps not what it did, and dies before, between and after.
import type { EventLoop, Owner } from './event-loop.ts';
import type { Message, WireEnd } from './message.ts';
import { errorEnd, LOST, resultEnd, statusEnd } from './message.ts';
import type { ServerStore } from './server-store.ts';
import type { SimConnection } from './sim-connection.ts';
import type { World } from './world.ts';

/** A tool server, or the child process that one process started. Its store outlives it. */
export class ToolServer {
  readonly #world: World;
  readonly #loop: EventLoop;
  readonly #store: ServerStore;
  #life: { isGone: boolean; readonly pausedUntil: number } = { isGone: false, pausedUntil: 0 };
  /** Grows with every restart. */
  incarnation = 1;
  isUp = true;
  /** Takes every message and answers none. */
  isSilent = false;

  constructor(world: World, store: ServerStore) {
    this.#world = world;
    this.#loop = world.loop;
    this.#store = store;
  }

  /** The tool runs once however often this message comes. */
  recognises(message: Message): boolean {
    return this.#world.plan.server !== 'plain' || message.tool !== 'pay';
  }

  /** A message arrives `delayMs` from now. */
  receive(message: Message, from: SimConnection, delayMs: number, doubled: boolean): void {
    const { incarnation } = this;
    this.#loop.post(delayMs, () => {
      const isGone = this.#world.plan.wire === 'stdio' && this.incarnation !== incarnation; // a pipe ends with its child
      if (!this.isUp || isGone) {
        if (this.#world.dice.chance(0.5)) this.#reply(message, from, LOST);
        return;
      }
      this.#world.see({ what: 'arrive', message: message.id, doubled });
      if (!message.isRefused && !this.isSilent) this.#take(message, from);
    });
  }

  /** It dies. What it was at is not done; what it has done stays. */
  crash(): void {
    this.#life.isGone = true;
    this.isUp = false;
    this.#world.connectionsTo(this).forEach((connection) => {
      if (this.#world.plan.wire === 'stdio' || this.#world.dice.chance(0.5)) connection.reset();
    });
    this.#loop.post(this.#world.dice.int(5, 400), () => this.start());
  }

  start(): void {
    if (this.isUp) return;
    this.isUp = true;
    this.incarnation += 1;
    this.#life = { isGone: false, pausedUntil: 0 };
  }

  #take(message: Message, from: SimConnection): void {
    const refusal = message.hasPassed ? undefined : this.#refuse(message);
    if (refusal !== undefined) {
      message.isRefused = true;
      this.#reply(message, from, refusal);
      return;
    }
    message.hasPassed = true;
    if (this.#world.plan.server === 'plain') {
      this.#later(() => this.#run(message, from));
      return;
    }
    const known = this.#store.claim(message, this.#life);
    if (known !== undefined) this.#reply(message, from, known);
    else this.#later(() => this.#run(message, from));
  }

  /** Something in front of the tool turns the message away. */
  #refuse({ id }: Message): WireEnd | undefined {
    const { dice } = this.#world;
    const strikes = (kind: Parameters<World['strikes']>[0]): boolean => this.#world.strikes(kind, `answer to #${id}`);
    if (strikes('server.busy')) return statusEnd(429, 'nothing-ran', { retryAfterMs: dice.int(5, 200) });
    if (strikes('server.forbidden')) return statusEnd(dice.pick([401, 403]), 'nothing-ran');
    if (strikes('server.sessionGone')) return statusEnd(404, 'nothing-ran', { hadSession: true });
    if (strikes('server.badRequest')) return dice.chance(0.5) ? statusEnd(400, 'nothing-ran') : UNKNOWN_TOOL;
    return undefined;
  }

  #run(message: Message, from: SimConnection): void {
    if (message.isCancelled && this.#world.dice.chance(0.5)) return;
    if (this.#world.strikes('server.crash.beforeEffect', `before the effect of #${message.id}`)) {
      this.crash();
      return;
    }
    if (this.#world.strikes('server.error', `#${message.id}`)) {
      this.#fail(message, from);
      return;
    }
    const text = this.#store.effect(message, (run) =>
      this.#world.see({ what: 'effect', message: message.id, op: message.op, run }),
    );
    const garbage = this.#world.strikes('server.garbage', `the answer to #${message.id}`);
    const end: WireEnd = garbage ? GARBAGE : resultEnd(text, isRefusedByTool(message) ? { isError: true } : {});
    if (this.#store.isTransactional) this.#store.record(message, end);
    if (this.#world.strikes('server.crash.afterEffect', `after the effect of #${message.id}`)) {
      this.crash();
      return;
    }
    this.#store.record(message, end);
    if (this.#world.strikes('server.crash.beforeAnswer', `after the record of #${message.id}`)) this.crash();
    else this.#reply(message, from, end);
  }

  /** The tool throws: before it did anything, or when it had. A server that keeps records keeps what it knows of that. */
  #fail(message: Message, from: SimConnection): void {
    const hadEffect = !this.#store.isTransactional && this.#world.dice.chance(0.5); // a transaction is rolled back
    if (hadEffect) {
      this.#store.effect(message, (run) =>
        this.#world.see({ what: 'effect', message: message.id, op: message.op, run }),
      );
    }
    const end = this.#store.failed(message, hadEffect);
    this.#reply(message, from, end);
  }

  #reply(message: Message, from: SimConnection, end: WireEnd): void {
    from.answer(message, end);
  }

  #later(run: () => void): void {
    const life: Owner = this.#life;
    this.#loop.post(this.#world.dice.int(0, this.#world.plan.executionMs), run, life);
  }
}

const UNKNOWN_TOOL = errorEnd(-32_601, 'method not found', 'nothing-ran');
const GARBAGE: WireEnd = { ...resultEnd(''), seen: { frame: 'result', result: {}, rawResult: {} }, proves: 'unusable' };

/** Some intents are refused by the tool itself: it ran, and said no. */
function isRefusedByTool({ intent }: Message): boolean {
  return intent.endsWith('7');
}
