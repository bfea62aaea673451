// Mutants of the engine and its policy: retries, deadlines, late answers, probes, what callers are told.
import type { Mutant } from './mutant.ts';
import { FOLDERS } from './mutant.ts';

const { ENGINE, POLICY } = FOLDERS;

export const ENGINE_MUTANTS: readonly Mutant[] = [
  {
    id: 'retry-unknown',
    breaks: 'an at-most-once tool is sent again only after a definite not-executed',
    edits: [{ file: `${POLICY}/retry-policy.ts`, find: "at.mode !== 'at-most-once' &&", replace: '' }],
  },
  {
    id: 'release-what-may-have-run',
    breaks: 'a key is given back only when nothing ran',
    edits: [
      {
        file: `${POLICY}/retry-policy.ts`,
        find: "return at.earlierUnknown ? { do: 'listen' } : { do: 'release' };",
        replace: "return { do: 'release' };",
      },
    ],
  },
  {
    id: 'max-attempts-ignored',
    breaks: 'sends stay within maxAttempts',
    edits: [
      {
        file: `${POLICY}/retry-policy.ts`,
        find: 'const mayResend = at.attempt < at.attemptLimit;',
        replace: 'const mayResend = at.attempt < at.attemptLimit + 2;',
      },
      {
        file: `${ENGINE}/run-attempts.ts`,
        find: 'run.failures >= run.flight.plan.retry.maxAttempts ?',
        replace: 'run.failures >= run.flight.plan.retry.maxAttempts + 2 ?',
      },
      {
        file: `${FOLDERS.LEDGER}/memory-ledger.ts`,
        find: 'if (attempt <= record.attempts || attempt > record.attemptLimit) return false;',
        replace: 'if (attempt <= record.attempts) return false;',
      },
    ],
  },
  {
    id: 'silence-is-under-way',
    breaks: 'only who is told that the operation runs may ask again without using up an attempt',
    edits: [
      {
        file: `${ENGINE}/run-attempts.ts`,
        find: 'run.asksAgain ||= end.verdict.isUnderWay === true;',
        replace: "run.asksAgain ||= end.verdict.class === 'unknown';",
      },
    ],
  },
  {
    id: 'scope-left-out',
    breaks: 'tenants do not share keys',
    edits: [
      {
        file: `${POLICY}/identity.ts`,
        find: 'const digest = sha256Hex(text);',
        replace: "const digest = sha256Hex(text.replace(String(scope.length) + ':' + scope, ''));",
      },
    ],
  },
  {
    id: 'deadline-off',
    breaks: 'a call is answered by its deadline',
    edits: [
      {
        file: `${ENGINE}/flight.ts`,
        find: 'this.#deadline = deadlines.add(at, plan.timeoutMs, this);',
        replace: 'this.#deadline = deadlines.add(at + 900, plan.timeoutMs, this);',
      },
    ],
  },
  {
    id: 'follower-aborts-leader',
    breaks: 'one caller’s abort is nobody else’s',
    edits: [
      {
        file: `${ENGINE}/flight.ts`,
        find: 'if (this.#waiters.length > 0 || this.#isAbandoned) return;',
        replace: `if (reason === 'aborted') this.#answerAll(this.endSoFar(reason));
    if (this.#waiters.length > 0 || this.#isAbandoned) return;`,
      },
    ],
  },
  {
    id: 'answer-before-settle',
    breaks: 'recorded means that the store has it',
    edits: [
      {
        file: `${ENGINE}/end-operation.ts`,
        find: 'const settled = settle(run, known.outcome);',
        replace:
          'Promise.resolve(settle(run, known.outcome)).catch(() => undefined);\n  const settled: boolean | Promise<boolean> = Promise.resolve(true);',
      },
    ],
  },
  {
    id: 'refused-settle-is-called-recorded',
    breaks: 'recorded means that the store took it',
    edits: [
      {
        file: `${ENGINE}/end-operation.ts`,
        find: 'return kept ? { ...known, recorded: true } :',
        replace: 'return kept || true ? { ...known, recorded: true } :',
      },
    ],
  },
  {
    id: 'result-reserialised',
    breaks: 'all answers of an operation are one text',
    edits: [
      {
        file: `${ENGINE}/answer-caller.ts`,
        find: 'const plain: object = end.object ?? (JSON.parse(end.outcome.result) as object);',
        replace: `const stored = end.object ?? (JSON.parse(end.outcome.result) as object);
    const plain: object = end.duplicate ? { isError: false, ...stored } : stored;`,
      },
    ],
  },
  {
    id: 'late-answer-dropped',
    breaks: 'an answer that comes in the grace ends the doubt',
    edits: [
      {
        file: `${ENGINE}/end-operation.ts`,
        find: "if (event.kind !== 'ended') continue;",
        replace: "if (event.kind !== 'ended' || flight.isAbandoned) continue;",
      },
    ],
  },
  {
    id: 'absent-believed-at-once',
    breaks: 'a probe’s absent counts once the send is dead',
    edits: [
      {
        file: `${ENGINE}/in-doubt.ts`,
        find: "return found.verdict === 'absent' && isTooLate ? 'absent' : 'unknown';",
        replace: "return found.verdict === 'absent' && (isTooLate || true) ? 'absent' : 'unknown';",
      },
    ],
  },
  {
    id: 'absent-believed-by-the-sweep',
    breaks: 'a sweep believes absent only after the settle window',
    edits: [
      {
        file: 'packages/core/src/session/probe-record.ts',
        find: "if (verdict === 'unknown' || !isTooLate) return { verdict };",
        replace: "if (verdict === 'unknown') return { verdict };",
      },
    ],
  },
  {
    id: 'inherited-send-is-old',
    breaks: 'an inherited send may have been sent just now',
    edits: [
      {
        file: `${ENGINE}/run.ts`,
        find: 'this.doubtSentAt = start.inherited ? start.ports.clock.monotonic() : 0;',
        replace: 'this.doubtSentAt = Number.NEGATIVE_INFINITY;',
      },
    ],
  },
  {
    id: 'detached-send-is-cancelled',
    breaks: 'nothing cancels an unsafe send by default',
    edits: [
      {
        file: `${ENGINE}/run.ts`,
        find: "if (this.mode === 'at-most-once' && !this.flight.plan.safe) sending.forget(reason);",
        replace: "if (reason === '') sending.forget(reason);",
      },
    ],
  },
  {
    id: 'lease-not-looked-at',
    breaks: 'no byte leaves at the end of the lease',
    edits: [
      {
        file: `${ENGINE}/attempt.ts`,
        find: 'if (now > held.validUntil - flight.plan.defaults.safetyMarginMs) {',
        replace: 'if (now > held.validUntil + 1e12) {',
      },
    ],
  },
  {
    id: 'retry-budget-off',
    breaks: 'retries of all calls together are bounded',
    edits: [
      {
        file: `${POLICY}/retry-budget.ts`,
        find: 'if (tokens < 1) return false;',
        replace: 'if (tokens < 1) return true;',
      },
    ],
  },
  {
    id: 'breaker-lets-all-through',
    breaks: 'a server that keeps failing is left alone',
    edits: [
      {
        file: `${ENGINE}/breaker.ts`,
        find: 'if (leftMs > 0) return leftMs;',
        replace: 'if (leftMs > 1e12) return leftMs;',
      },
      {
        file: `${ENGINE}/breaker.ts`,
        find: 'return this.#probes < this.#options.halfOpenProbes ? undefined',
        replace: 'return this.#probes < 1e12 ? undefined',
      },
    ],
  },
  {
    id: 'no-single-flight',
    breaks: 'calls with one key in one process share a driver',
    edits: [
      {
        file: `${ENGINE}/execute-call.ts`,
        find: 'if (plan.idempotencyKey !== undefined) ports.flights.set(plan.operationId, flight);',
        replace: '',
      },
    ],
  },
];
