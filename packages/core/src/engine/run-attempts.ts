/** The only loop: attempt, decide, wait, attempt again. It sends nothing and decides nothing itself. */
import { backoffMs } from '../policy/backoff.ts';
import type { Classification } from '../policy/classify.ts';
import type { Decision } from '../policy/retry-policy.ts';
import { decide } from '../policy/retry-policy.ts';
import { stricter } from '../policy/tool-safety.ts';
import type { AttemptEnd } from './attempt.ts';
import { attemptOnce, endsIt, judge } from './attempt.ts';
import { endDetached, endListening, endReleased, endSettled, endUnmarked } from './end-operation.ts';
import type { Flight } from './flight.ts';
import type { FlightEnd } from './flight-end.ts';
import { askProbe } from './in-doubt.ts';
import { insist } from './ledger-write.ts';
import { followOthers } from './lost-lease.ts';
import type { Run } from './run.ts';

/** With less time left than that, nobody is asked for an answer again, ms. */
const LAST_ASK_MS = 20;

/** Drives an operation to its end. `reclaim`: somebody else has taken it over; follow them. */
export function runAttempts(run: Run): Promise<FlightEnd | 'reclaim'> {
  if (run.doubt !== undefined) return goOn(run, ownerLost());
  // Almost every operation ends here; the loop is for the others.
  return attemptOnce(run).then((end) => (end.verdict.class === 'completed' ? endSettled(run, end) : goOn(run, end)));
}

async function goOn(run: Run, first: AttemptEnd): Promise<FlightEnd | 'reclaim'> {
  let known: AttemptEnd | undefined = first;
  for (;;) {
    let end = known ?? (await attemptOnce(run));
    known = undefined;
    if (end.verdict.class === 'completed') return endSettled(run, end);
    run.asksAgain ||= end.verdict.isUnderWay === true;
    let decision = decide(end.verdict, situation(run, mayResend(run)));
    if (decision.do === 'resend') {
      const pause = await pauseBeforeResend(run, end.verdict, decision);
      if (pause === 'over' || (pause === 'stopped' && cameBack(run))) continue;
      end = pause === 'stopped' ? end : (pause.answer ?? end);
      decision = decide(end.verdict, situation(run, false));
    }
    if (mayBeProbed(run, end.verdict, decision)) {
      const found = await askProbe(run);
      if (found === 'absent') {
        run.clearDoubt(); // the send is dead and did nothing: as good as not sent
        end = { verdict: { class: 'not-sent', says: 'the probe found that it did not happen', serverFault: false } };
        decision = decide(end.verdict, situation(run, mayResend(run)));
        if (decision.do === 'resend' && (await pauseBeforeResend(run, end.verdict, decision)) === 'over') continue;
        decision = { do: 'release' };
      } else if (found !== 'unknown') return endSettled(run, found, 'probe');
    }
    const last = await finish(run, end, decision);
    if (last !== 'again') return last;
    known = {
      verdict: { class: 'unknown', says: 'no answer came', doubt: run.doubt ?? 'timeout', serverFault: false },
    };
  }
}

/** What is known of a send whose owner is gone: nothing. */
function ownerLost(): AttemptEnd {
  return {
    verdict: { class: 'unknown', says: 'the process that sent it is gone', doubt: 'owner-lost', serverFault: false },
  };
}

function finish(
  run: Run,
  end: AttemptEnd,
  decision: Decision,
): FlightEnd | 'reclaim' | Promise<FlightEnd | 'again' | 'reclaim'> {
  if (run.held?.lost === true && run.isClean && end.verdict.class === 'not-sent') return followOthers(run, end.verdict);
  if (decision.do === 'release') return endReleased(run, end.verdict);
  const left = mayBeRepeated(run) ? leave(run, end.verdict) : undefined;
  if (left !== undefined) return left;
  if (decision.do === 'listen') return endListening(run, end.verdict);
  return endSettled(run, end);
}

/** Some send may have taken effect, and whoever has the operation may send it again all the same. */
function mayBeRepeated({ doubt, mode, held, flight }: Run): boolean {
  return doubt !== undefined && mode !== 'at-most-once' && held !== undefined && !flight.plan.readOnly;
}

/** What keeps this owner from a send is its own trouble, and not the operation's: whoever comes next may send it. */
function leave(run: Run, verdict: Classification): FlightEnd | 'reclaim' | undefined {
  const { flight, held, ledgerError, hasSent } = run;
  if (ledgerError !== undefined && !hasSent) return endUnmarked(run, verdict);
  if (flight.isAbandoned) return mayComeAgain(flight) && isUndecided(run, verdict) ? endDetached(run) : undefined;
  return held?.lost === true && !hasSent ? 'reclaim' : undefined;
}

/** No answer can come any more, none has ended it, and there is a send left. */
function isUndecided({ unanswered, attempt, attemptLimit }: Run, verdict: Classification): boolean {
  const isOpen = verdict.class === 'not-sent' || (verdict.class === 'unknown' && verdict.doubt !== 'server-in-doubt');
  return isOpen && unanswered.length === 0 && attempt < attemptLimit;
}

/** The last caller left before its deadline, and wants no end of it: its host may ask again, here or elsewhere. */
function mayComeAgain({ stopReason, cancelRequested }: Flight): boolean {
  return stopReason !== 'timeout' && !cancelRequested;
}

/** Somebody came when the last caller had just left. Where nothing may have run, the operation ends, and is driven anew for that one. */
function cameBack(run: Run): boolean {
  return !run.isClean && mayResend(run);
}

function situation(run: Run, resend: boolean): Parameters<typeof decide>[1] {
  return {
    mode: stricter(run.mode, run.flight.strictest),
    attempt: run.attempt,
    attemptLimit: resend ? run.attemptLimit + (run.asksAgain ? 1 : 0) : run.attempt,
    earlierUnknown: run.doubt !== undefined || run.unanswered.length > 0,
    stillListening: run.unanswered.length > 0,
    recovered: run.recovered,
  };
}

/** Whether the world, as opposed to the policy, allows another send. */
function mayResend(run: Run): boolean {
  const { flight, held, ports } = run;
  if (flight.isAbandoned || held?.lost === true || run.ledgerError !== undefined) return false;
  return ports.clock.monotonic() < flight.deadline;
}

/** A probe is asked before doubt is accepted: when it would be settled now, or while nothing but silence is heard. */
function mayBeProbed(run: Run, verdict: Classification, decision: Decision): boolean {
  if (run.flight.plan.probe === undefined || run.flight.isAbandoned || verdict.class !== 'unknown') return false;
  return decision.do === 'settle' || decision.do === 'listen';
}

/** How a wait went. `stopped`: the last caller left. */
type Pause = 'over' | 'stopped' | { readonly answer: AttemptEnd | undefined };

/** The wait before the next send. An answer to an earlier send may come in it, and ends it. */
async function pauseBeforeResend(
  run: Run,
  failure: Classification,
  decision: Extract<Decision, { do: 'resend' }>,
): Promise<Pause> {
  const { ports, flight } = run;
  const delayMs = failure.isUnderWay === true ? askAfterMs(run, failure) : failedDelayMs(run, failure, decision);
  if (delayMs === undefined) return { answer: undefined };
  // What a former owner has sent was its send: the first one of this owner is what its caller asked for, and no re-send of its own.
  const isOwnResend = failure.class !== 'not-sent' && failure.isUnderWay !== true && run.hasSent;
  if (isOwnResend && !ports.budget.withdraw()) return { answer: undefined };
  if (run.isClean) await holdReleased(run);
  if (decision.recover !== undefined) {
    run.recovered = true;
    await ports.caller.recover(decision.recover);
  }
  const { operationId, requestId, tool } = flight.plan;
  ports.events.emit('retry.scheduled', { operationId, requestId, tool, attempt: run.nextAttempt, delayMs });
  return listenFor(run, delayMs);
}

/** The wait after a failure; `undefined` where there is no time for another attempt, or there were enough. */
function failedDelayMs(
  run: Run,
  failure: Classification,
  { recover }: Extract<Decision, { do: 'resend' }>,
): number | undefined {
  run.failures += 1;
  const delayMs = recover === undefined ? waitMs(run, failure, run.failures) : 0;
  return delayMs >= leftMs(run) || run.failures >= run.flight.plan.retry.maxAttempts ? undefined : delayMs;
}

/** The wait until the server is asked for the answer again. Where that would be too late, half of the time left. */
function askAfterMs(run: Run, failure: Classification): number | undefined {
  run.asks += 1;
  const left = leftMs(run);
  const delayMs = waitMs(run, failure, run.asks);
  if (delayMs < left) return delayMs;
  return left < LAST_ASK_MS ? undefined : left / 2;
}

function waitMs({ ports, flight }: Run, { retryAfterMs = 0 }: Classification, tries: number): number {
  return Math.max(backoffMs(flight.plan.retry, tries, ports.random), retryAfterMs);
}

function leftMs({ ports, flight }: Run): number {
  return flight.deadline - ports.clock.monotonic();
}

/** Nothing is under way, so the record says `claimed` again: a crash during the wait leaves no doubt behind. */
async function holdReleased(run: Run): Promise<void> {
  const { held, ports, flight } = run;
  if (held === undefined || held.lost) return;
  try {
    const released = { attempts: run.attempt, hold: true };
    const kept = await insist(ports, flight, 'release', { tries: 2, forCallers: true }, (ledger) =>
      ledger.release(held.lease, released),
    );
    if (!kept) run.loseLease();
  } catch (error) {
    run.ledgerError = error;
  }
}

async function listenFor(run: Run, delayMs: number): Promise<Pause> {
  const { ports, flight } = run;
  if (flight.isAbandoned) return 'stopped';
  const timer = ports.clock.timer(delayMs, () => run.inbox.put({ kind: 'timer' }));
  try {
    for (;;) {
      const event = await run.inbox.next();
      if (event.kind === 'timer') return mayResend(run) ? 'over' : { answer: undefined };
      if (event.kind === 'stopped' && !cameBack(run)) return 'stopped';
      if (event.kind !== 'ended') continue;
      const end = judge(run, event.send, event.seen);
      if (endsIt(end.verdict)) return { answer: end };
    }
  } finally {
    timer.cancel();
  }
}
