/** Holds many deadlines with few timers: calls come and go by the thousand, and a timer of its own for each costs more than the call. */
import type { Clock, Timer } from './clock.ts';

/** A deadline that has not passed. */
export interface Deadline {
  cancel(): void;
}

/** Who waits for a deadline. An object and not a function: calls have one at hand, and a closure for each costs more. */
export interface Sleeper {
  wake(): void;
}

/** A set of deadlines on one clock. */
export interface Deadlines {
  /** Tells `sleeper` once when the clock's `monotonic()` reaches `at`, unless cancelled before. */
  add(at: number, durationMs: number, sleeper: Sleeper): Deadline;
  /** Deadlines that are pending. */
  readonly size: number;
  /** Drops all of them, and every timer. */
  close(): void;
}

/**
 * Deadlines of one duration stand in one list, in the order they pass in. Each list keeps a
 * single timer for its head. A cancelled deadline is unlinked and the timer left to fire for nothing, once per duration.
 * The timers hold the process only while a deadline is pending.
 */
export function createDeadlines(clock: Clock): Deadlines {
  const lists = new Map<number, List>();
  const set: Set = { clock, lists, size: 0 };
  return {
    add(at, durationMs, sleeper) {
      const entry = new Entry(listOf(set, durationMs), at, sleeper);
      entry.link();
      return entry;
    },
    get size() {
      return set.size;
    },
    close() {
      for (const list of lists.values()) list.timer?.cancel();
      lists.clear();
      set.size = 0;
    },
  };
}

interface Set {
  readonly clock: Clock;
  readonly lists: Map<number, List>;
  size: number;
}

interface List {
  readonly set: Set;
  readonly durationMs: number;
  head: Entry | undefined;
  tail: Entry | undefined;
  timer: Timer | undefined;
  /** When the timer fires. */
  armedFor: number;
}

class Entry implements Deadline {
  readonly at: number;
  readonly sleeper: Sleeper;
  #list: List | undefined;
  #previous: Entry | undefined = undefined;
  #next: Entry | undefined = undefined;

  constructor(list: List, at: number, sleeper: Sleeper) {
    this.#list = list;
    this.at = at;
    this.sleeper = sleeper;
  }

  /** Takes its place in line. Almost always that is the end; a call that began before it was made passes some others. */
  link(): void {
    const list = this.#list as List;
    let previous = list.tail;
    while (previous !== undefined && previous.at > this.at) previous = previous.#previous;
    const next = previous === undefined ? list.head : previous.#next;
    this.#previous = previous;
    this.#next = next;
    if (previous === undefined) list.head = this;
    else previous.#next = this;
    if (next === undefined) list.tail = this;
    else next.#previous = this;
    list.set.size += 1;
    if (list.head !== this) return;
    if (list.timer !== undefined && list.armedFor <= this.at) list.timer.hold?.(true);
    else {
      list.timer?.cancel();
      arm(list, this.at);
    }
  }

  cancel(): void {
    const list = this.#list;
    if (list === undefined) return;
    this.#list = undefined;
    if (this.#previous === undefined) list.head = this.#next;
    else this.#previous.#next = this.#next;
    if (this.#next === undefined) list.tail = this.#previous;
    else this.#next.#previous = this.#previous;
    this.#previous = undefined; // an entry that is old and forgotten must not hold on to younger ones
    this.#next = undefined;
    list.set.size -= 1;
    if (list.head === undefined) list.timer?.hold?.(false);
  }
}

function listOf(set: Set, durationMs: number): List {
  const known = set.lists.get(durationMs);
  if (known !== undefined) return known;
  const list: List = { set, durationMs, head: undefined, tail: undefined, timer: undefined, armedFor: 0 };
  set.lists.set(durationMs, list);
  return list;
}

function arm(list: List, at: number): void {
  list.armedFor = at;
  list.timer = list.set.clock.timer(at - list.set.clock.monotonic(), () => fire(list));
}

function fire(list: List): void {
  list.timer = undefined;
  const now = list.set.clock.monotonic();
  while (list.head !== undefined && list.head.at <= now) {
    const due = list.head;
    due.cancel();
    due.sleeper.wake();
  }
  if (list.timer !== undefined) return; // a wake-up added the next one
  if (list.head === undefined) list.set.lists.delete(list.durationMs);
  else arm(list, list.head.at);
}
