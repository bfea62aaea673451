/** Decides whose turn it is: so many at once, and whoever came back goes before whoever is new. */

/** So many places. */
export class Turnstile {
  #free: number;
  readonly #again: (() => void)[] = [];
  readonly #fresh: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Does the work once there is a place. Does not look at what it gives. */
  async pass<T>(cameBack: boolean, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => (cameBack ? this.#again : this.#fresh).push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#again.shift() ?? this.#fresh.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
