/** Gathers what comes while a batch is under way, so that many calls share one statement and one commit. */

/** Answers jobs, each at its place; `undefined`: this one has to be done alone. Rejects when nothing is known of any of them. */
export type RunBatch<Job, Answer> = (jobs: readonly Job[]) => Promise<readonly (Answer | undefined)[]>;

/** What one job is done by when its batch could not. */
export type RunAlone<Job, Answer> = (job: Job) => Promise<Answer>;

interface Waiting<Job, Answer> {
  readonly job: Job;
  readonly resolve: (answer: Answer | Promise<Answer>) => void;
  readonly reject: (error: unknown) => void;
}

/** Two batches at once: while one is synced to disk, the next one is read. More lanes make batches smaller, not the whole faster. */
const LANES = 2;
const MAX_BATCH = 256;
/** So many callers that wait for one batch would all be answered at once, and come again at once: server and callers would take turns. */
const IN_STEP = 16;

/** A batch begins when the turn in which its first job came is over: a lone caller waits for nothing. */
export class Batcher<Job, Answer> {
  readonly #runBatch: RunBatch<Job, Answer>;
  readonly #runAlone: RunAlone<Job, Answer>;
  readonly #isAboutOne: (error: unknown) => boolean;
  #queue: Waiting<Job, Answer>[] = [];
  #underWay = 0;
  #isScheduled = false;
  #isLone = true;

  /** `isAboutOne`: an error that one job has caused, so that the others of its batch are worth another try. */
  constructor(
    runBatch: RunBatch<Job, Answer>,
    runAlone: RunAlone<Job, Answer>,
    isAboutOne: (error: unknown) => boolean,
  ) {
    this.#runBatch = runBatch;
    this.#runAlone = runAlone;
    this.#isAboutOne = isAboutOne;
  }

  /** Does a job, with others or alone. */
  run(job: Job): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#underWay >= LANES) return;
    this.#isScheduled = true;
    const flush = (): void => {
      this.#isScheduled = false;
      void this.#flush();
    };
    // Callers whose sockets are read in the same turn come between the two.
    if (this.#isLone) process.nextTick(flush);
    else setImmediate(flush);
  }

  async #flush(): Promise<void> {
    const waiting = this.#queue.length;
    // Half of those in step goes ahead: from then on one half is at the server while the other one is here.
    const isInStep = waiting >= IN_STEP && this.#underWay === 0;
    const batch = this.#queue.splice(0, isInStep ? Math.min(Math.ceil(waiting / 2), MAX_BATCH) : MAX_BATCH);
    if (batch.length === 0) return;
    this.#isLone = waiting === 1;
    this.#underWay += 1;
    if (isInStep) void this.#flush();
    else if (this.#queue.length > 0) this.#schedule();
    try {
      const answers = await this.#runBatch(batch.map(({ job }) => job));
      for (const [index, waiting] of batch.entries()) {
        const answer = answers[index];
        waiting.resolve(answer === undefined ? this.#runAlone(waiting.job) : answer);
      }
    } catch (error) {
      const mayTryAlone = this.#isAboutOne(error);
      for (const { job, resolve, reject } of batch) {
        if (mayTryAlone) resolve(this.#runAlone(job));
        else reject(error);
      }
    } finally {
      this.#underWay -= 1;
      if (this.#queue.length > 0) this.#schedule();
    }
  }
}
