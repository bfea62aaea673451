/** Caps re-sends per server over time, so that an outage is not answered with a multiple of the load. */

/** A budget of re-sends, shared by all calls to one server. */
export interface RetryBudget {
  /** Every operation that sends pays in. */
  deposit(): void;
  /** Takes the price of one re-send; `false`: the budget is used up. */
  withdraw(): boolean;
  readonly tokens: number;
}

/**
 * A token bucket after gRPC proposal A6 ("retry throttling"), paid in by sends instead of successes: each operation adds
 * `ratio`, each re-send takes 1, so that re-sends <= capacity + ratio * operations at any time, also in a total outage.
 */
export function createRetryBudget(options: { readonly capacity: number; readonly ratio: number }): RetryBudget {
  let tokens = options.capacity;
  return {
    deposit() {
      tokens = Math.min(options.capacity, tokens + options.ratio);
    },
    withdraw() {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    get tokens() {
      return tokens;
    },
  };
}
