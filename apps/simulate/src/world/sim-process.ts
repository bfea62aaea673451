// A process of the simulation: a clock of its own, and continuations that a crash drops and a pause delays.
import type { Clock, Random, Timer } from '@mcp-tx/core';
import type { Dice } from './dice.ts';
import type { EventLoop, Owner } from './event-loop.ts';

const EPOCH = 1_800_000_000_000;

/** What a process sees of time and chance, and what the world may do to it. */
export class SimProcess implements Clock, Owner {
  readonly name: string;
  readonly bornAt: number;
  /** How far its wall clock is off, ms. Steps change it. */
  skewMs = 0;
  isGone = false;
  pausedUntil = 0;
  /** Timers that have neither fired nor been cancelled. */
  pendingTimers = 0;
  readonly random: Random;
  readonly #loop: EventLoop;

  constructor(name: string, loop: EventLoop, dice: Dice) {
    this.name = name;
    this.#loop = loop;
    this.bornAt = loop.now;
    let ids = 0;
    this.random = {
      next: () => dice.next(),
      id: () => {
        ids += 1;
        return `${name}x${ids}`; // short enough to be an owner’s token as a whole
      },
    };
  }

  now(): number {
    return EPOCH + this.#loop.now + this.skewMs;
  }

  monotonic(): number {
    return this.#loop.now - this.bornAt;
  }

  timer(delayMs: number, wake: () => void): Timer {
    this.pendingTimers += 1;
    let isPending = true;
    const end = (): boolean => {
      const was = isPending;
      if (was) this.pendingTimers -= 1;
      isPending = false;
      return was;
    };
    const posted = this.#loop.post(delayMs, () => end() && wake(), this);
    return {
      cancel: () => {
        if (end()) posted.cancel();
      },
    };
  }

  /** Lets `run` happen in this process, unless it has crashed by then. */
  post(delayMs: number, run: () => void): void {
    this.#loop.post(delayMs, run, this);
  }
}
