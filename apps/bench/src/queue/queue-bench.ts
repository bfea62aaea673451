// What a queue brings along to be measured: a broker of the run's own, and pairs of subjects that drain equal queues.

/** Jobs drained in each second. */
export type Drain = () => Promise<number>;

/** A contender, and what it is held against. */
export interface Comparison {
  /** Name of the figure: `bullmq.c50`. */
  readonly id: string;
  readonly says: string;
  /** Least ratio; absent where it is only told. */
  readonly atLeast?: number;
  /** Greatest ratio, where more would be as suspicious as less. */
  readonly atMost?: number;
  readonly base: Drain;
  readonly contender: Drain;
}

/** A queue under measurement. */
export interface QueueBench extends AsyncDisposable {
  readonly comparisons: readonly Comparison[];
}
