// Faults that come when the work has got so far, and not by the clock: however fast the machine is, all of them hit a run under way.

/** Faults of one kind, spread over a run. */
export interface PacedFaults {
  /** To be told how many operations have an answer. */
  moved(answered: number): void;
  /** Waits for the fault that is under way. How many were really injected. */
  stop(): Promise<number>;
}

/** The last tenth of the work is left alone: what a fault has broken off must be able to go on. */
const REACH = 0.9;

/** Plans `times` faults over the `operations` of a run. `inject` tells whether it has hit anything; if not, it is tried again. */
export function pacedFaults(
  times: number,
  operations: number,
  random: () => number,
  inject: () => Promise<boolean>,
): PacedFaults {
  const points = Array.from({ length: times }, (_, n) => (REACH * operations * (n + random())) / times);
  let injected = 0;
  let isStopped = false;
  let running: Promise<void> | undefined;
  let failed: unknown;

  const strike = async (): Promise<void> => {
    while (!isStopped && !(await inject()));
    if (!isStopped) injected += 1;
  };
  return {
    moved(answered) {
      const point = points[injected];
      if (running !== undefined || isStopped || point === undefined || answered < point) return;
      running = strike()
        .catch((error: unknown) => {
          failed = error;
          isStopped = true;
        })
        .finally(() => {
          running = undefined;
        });
    },
    async stop() {
      isStopped = true;
      await running;
      if (failed !== undefined) throw failed;
      return injected;
    },
  };
}
