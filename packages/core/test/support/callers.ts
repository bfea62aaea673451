/** Callers of one key in a race: what each will do, what it was told and when. */
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import type { CallOutcome, McpTx, VirtualClock } from '../../src/index.ts';
import type { Turn, Turns } from './race.ts';
import type { ScriptedServer } from './scripted-connection.ts';

/** The key of every caller. */
const KEY = 'order:42';

/** What a caller will do. */
export interface CallerScript {
  readonly timeoutMs: number;
  /** `cancels`: aborts, and wants the send cancelled. `early`: aborts at any time, perhaps before it calls. */
  readonly leaves: 'stays' | 'aborts' | 'cancels' | 'early';
}

export const callerScript: fc.Arbitrary<CallerScript> = fc.record({
  timeoutMs: fc.constantFrom(40, 150, 600),
  leaves: fc.constantFrom('stays', 'stays', 'stays', 'aborts', 'aborts', 'cancels', 'cancels', 'early'),
});

/** One caller. */
export class Caller {
  readonly script: CallerScript;
  readonly #abort = new AbortController();
  startedAt: number | undefined = undefined;
  answeredAt: number | undefined = undefined;
  outcome: CallOutcome | undefined = undefined;
  answers = 0;
  /** Its signal had aborted before it called. */
  wasEarly = false;
  /** Effects of the operation when it was answered. */
  effects = 0;

  constructor(script: CallerScript) {
    this.script = script;
  }

  /** Calls, and notes what it is told. */
  call(tx: McpTx, server: ScriptedServer, clock: VirtualClock): void {
    const { timeoutMs, leaves } = this.script;
    const { signal } = this.#abort;
    this.startedAt = clock.monotonic();
    this.wasEarly = signal.aborted;
    const onAbort = leaves === 'cancels' ? 'cancel' : 'detach';
    void tx.tryCallTool('pay', { a: 1 }, { idempotencyKey: KEY, timeoutMs, signal, onAbort }).then((outcome) => {
      this.answers += 1;
      this.outcome = outcome;
      this.answeredAt = clock.monotonic();
      this.effects = server.effectCount;
    });
  }

  /** Its script, for the scheduler. */
  turns(name: string, call: () => void): readonly Turns[] {
    const calling: Turn = [`${name} calls`, call];
    const leaving: Turn = [`${name} aborts`, () => this.#abort.abort()];
    const { leaves } = this.script;
    if (leaves === 'early') return [[calling], [leaving]];
    return leaves === 'stays' ? [[calling]] : [[calling, leaving]];
  }

  get hasAborted(): boolean {
    return this.#abort.signal.aborted;
  }

  get listeners(): number {
    return getEventListeners(this.#abort.signal, 'abort').length;
  }

  /** It has called, and neither its abort nor its deadline has ended the call. */
  isWaiting(clock: VirtualClock): boolean {
    if (this.startedAt === undefined || this.outcome !== undefined || this.hasAborted) return false;
    return clock.monotonic() < this.startedAt + this.script.timeoutMs;
  }

  /** How long it waited, ms. */
  get waitedMs(): number {
    return (this.answeredAt ?? Number.POSITIVE_INFINITY) - (this.startedAt ?? 0);
  }

  /** The text of the result it was given. */
  get text(): string | undefined {
    return this.outcome?.ok === true ? JSON.stringify(this.outcome.result) : undefined;
  }

  /** The same, unless the ledger had not taken it when it was given. */
  get recordedText(): string | undefined {
    return this.outcome?.ok === true && this.outcome.meta.recorded ? this.text : undefined;
  }

  /** The code of the error it was given. */
  get code(): string | undefined {
    return this.outcome?.ok === false ? this.outcome.error.code : undefined;
  }

  get execution(): string | undefined {
    return this.outcome?.ok === false ? this.outcome.error.execution : this.outcome?.meta.execution;
  }
}
