/** ONE send: makes ready, marks it in the ledger, writes its `_meta`, lets it go, and waits until something is known. */
import { isMcpTxError } from '../outcome/tx-error.ts';
import type { Classification } from '../policy/classify.ts';
import { classify } from '../policy/classify.ts';
import type { Observation } from '../policy/observation.ts';
import { factsOf } from '../policy/observation.ts';
import type { Progress } from '../policy/settings.ts';
import type { Mutable } from '../runtime/mutable.ts';
import type { Flight } from './flight.ts';
import { passBreaker, takeSlot } from './gates.ts';
import type { Send } from './inbox.ts';
import { FOR_CALLERS, insist } from './ledger-write.ts';
import type { Run } from './run.ts';
import { Silence } from './silence.ts';
import type { SendRequest } from './tool-caller.ts';

/** What is known after a send, or after the wait for it. */
export interface AttemptEnd {
  readonly verdict: Classification;
  /** Present when the send itself ended; absent after a mere timeout. */
  readonly seen?: Observation;
}

/** Sends once more and waits for the first thing that is known about the operation. */
export function attemptOnce(run: Run): Promise<AttemptEnd> {
  return run.marked ? sendNow(run) : prepareAndSend(run);
}

async function prepareAndSend(run: Run): Promise<AttemptEnd> {
  const obstacle = await prepare(run);
  return obstacle === undefined ? sendNow(run) : notSending(run, obstacle);
}

function sendNow(run: Run): Promise<AttemptEnd> {
  const now = run.ports.clock.monotonic();
  const obstacle = lastLook(run, now) ?? unrecognised(run);
  if (obstacle !== undefined) return Promise.resolve(notSending(run, obstacle));
  dispatch(run, now);
  return awaitAnswer(run);
}

function notSending(run: Run, verdict: Classification): AttemptEnd {
  run.withdrawMark();
  return { verdict };
}

/** Connects if need be, passes the breaker, and writes the mark. A classification means: nothing was sent, and why. */
async function prepare(run: Run): Promise<Classification | undefined> {
  const { ports, flight } = run;
  const unsafe = !flight.plan.safe;
  const overload = flight.slotOf === undefined ? await regainSlot(run) : undefined;
  if (overload !== undefined) return overload;
  if (!ports.caller.isReady(unsafe)) {
    const failure = await connect(run, unsafe);
    if (failure !== undefined) return failure;
  }
  const refusesForMs = passBreaker(ports, flight);
  if (refusesForMs !== undefined) {
    return { ...notSent('the server failed too often of late'), retryAfterMs: refusesForMs };
  }
  return flight.isAbandoned ? notSent('the caller stopped waiting') : mark(run);
}

/** The slot was given away: to a probe's reads, or because the last caller had left before another one came. */
async function regainSlot({ ports, flight }: Run): Promise<Classification | undefined> {
  try {
    return (await takeSlot(ports, flight)) ? undefined : notSent('the caller stopped waiting');
  } catch (error) {
    return notSent(factsOf(error).message);
  }
}

async function connect(run: Run, unsafe: boolean): Promise<Classification | undefined> {
  try {
    await run.ports.caller.makeReady(unsafe, run.flight.stopSignal);
    return undefined;
  } catch (error) {
    if (isMcpTxError(error) && error.code === 'CLOSED') throw error;
    if (!run.flight.isAbandoned) run.ports.breaker.failed();
    return notSent(factsOf(error).message);
  }
}

async function mark(run: Run): Promise<Classification | undefined> {
  const { ports, flight, held } = run;
  if (held === undefined) return undefined;
  const requestedAt = ports.clock.monotonic();
  try {
    const marked = await insist(ports, flight, 'markSent', FOR_CALLERS, (ledger) =>
      ledger.markSent(held.lease, run.nextAttempt),
    );
    if (!marked) run.loseLease();
    else held.validUntil = Math.max(held.validUntil, requestedAt + held.lease.leaseMs);
    run.marked = marked;
    return marked ? undefined : notSent('another owner took the operation over');
  } catch (error) {
    run.ledgerError = error;
    return notSent(`the ledger could not record the send: ${factsOf(error).message}`);
  }
}

/** The last look before the bytes leave; everything here is synchronous with the send. */
function lastLook(run: Run, now: number): Classification | undefined {
  const { flight, held } = run;
  if (flight.isAbandoned) return notSent('the caller stopped waiting');
  if (run.unanswered.length > 0 && !run.inbox.isEmpty) return notSent('an earlier send was heard of meanwhile');
  if (now >= flight.deadline) return notSent('the deadline passed');
  if (held === undefined) return undefined;
  if (held.lost) return notSent('another owner took the operation over');
  if (now > held.validUntil - flight.plan.defaults.safetyMarginMs) {
    run.loseLease();
    return notSent('the lease ran out before the send');
  }
  return undefined;
}

/**
 * A send was unanswered and this is a repeat: the server must still be one that recognises it. It may be another version by now.
 */
function unrecognised(run: Run): Classification | undefined {
  const { flight, ports } = run;
  if (run.mode !== 'effectively-once' || run.isClean || flight.plan.fillsKey || ports.caller.speaksMcpTx)
    return undefined;
  run.mode = 'at-most-once';
  const says = 'the server does not recognise repeats any more';
  return { class: 'unknown', says, doubt: run.doubt ?? 'connection-lost', serverFault: false };
}

function dispatch(run: Run, now: number): void {
  const { ports, flight } = run;
  const { plan } = flight;
  if (!run.hasSent) ports.budget.deposit();
  run.hasSent = true;
  const { asksAgain, nextAttempt: attempt } = run;
  run.attempt = attempt;
  run.asksAgain = false;
  run.marked = false;
  const { returnProbe } = flight;
  flight.returnProbe = undefined; // from here on the send itself tells the breaker how it went
  const attemptId = asksAgain ? `${plan.requestId}.${attempt}.${run.asks}` : `${plan.requestId}.${attempt}`;
  const remainingMs = Math.max(0, Math.round(flight.deadline - now));
  const { operationId, requestId, fingerprint, tool } = plan;
  const identity: Mutable<SendRequest['identity']> = { operationId, requestId, attempt, attemptId, remainingMs };
  if (fingerprint !== undefined) identity.fingerprint = fingerprint;
  if (ports.events.wants('attempt.sent')) {
    ports.events.emit('attempt.sent', { operationId, requestId, tool, attempt, attemptId });
  }
  const sending = ports.caller.send({
    tool,
    arguments: plan.arguments,
    meta: plan.meta,
    identity,
    onProgress: wantsProgress(flight) ? (progress) => hear(run, attempt, progress) : undefined,
  });
  run.track({ attempt, asksAgain, sending, sentAt: now, heardAt: now, returnProbe });
}

/** Somebody listens, or progress makes a difference to how long the send may take. Servers tell it only when asked. */
function wantsProgress({ plan, isListenedTo }: Flight): boolean {
  return isListenedTo || plan.attemptTimeoutMs < plan.timeoutMs;
}

/** Only the latest send counts: what callers hear never runs backwards, and an earlier send makes no room for a later one. */
function hear(run: Run, attempt: number, progress: Progress): void {
  const { ports, flight } = run;
  if (attempt !== run.attempt) return;
  for (const send of run.unanswered) if (send.attempt === attempt) send.heardAt = ports.clock.monotonic();
  run.silence?.heard();
  const hook = `onProgress of ${flight.plan.tool}`;
  flight.tellProgress(progress, (error) => ports.events.emit('hook.failed', { hook, error }));
}

/** Waits for an answer to any unanswered send, for a silence as long as the attempt may take, or for the last caller to leave. */
function awaitAnswer(run: Run): Promise<AttemptEnd> {
  const { attemptTimeoutMs, timeoutMs } = run.flight.plan;
  return attemptTimeoutMs < timeoutMs ? hearWithin(run, attemptTimeoutMs) : hearOut(run, run.attempt);
}

function hearWithin(run: Run, silenceMs: number): Promise<AttemptEnd> {
  run.silence = new Silence(run, silenceMs);
  return hearOut(run, run.attempt).finally(() => run.endSilence());
}

function hearOut(run: Run, current: number): Promise<AttemptEnd> {
  return run.inbox.next().then((event) => {
    if (event.kind === 'revived') return hearOut(run, current);
    if (event.kind === 'stopped') return { verdict: stopped(run) };
    if (event.kind === 'timer')
      return { verdict: noAnswer(run, `no answer within ${run.flight.plan.attemptTimeoutMs} ms`) };
    const end = judge(run, event.send, event.seen);
    return event.send.attempt === current || endsIt(end.verdict) ? end : hearOut(run, current);
  });
}

/** Classifies a send that ended, and tells the breaker what it proves about the server. */
export function judge(run: Run, send: Send, seen: Observation): AttemptEnd {
  const { ports, flight } = run;
  const verdict = classify(seen, ports.rules, flight.plan.operationId);
  run.untrack(send, verdict);
  if (verdict.serverFault) ports.breaker.failed();
  else if (verdict.class === 'not-sent' || verdict.doubt === 'aborted') run.withdrawProbe(send);
  else ports.breaker.succeeded();
  if (ports.events.wants('attempt.ended')) {
    const { operationId, requestId, tool } = flight.plan;
    ports.events.emit('attempt.ended', {
      operationId,
      requestId,
      tool,
      attempt: send.attempt,
      class: verdict.class,
      says: verdict.says,
    });
  }
  return { verdict, seen };
}

/** Whether an answer to an *earlier* send decides the operation. */
export function endsIt(verdict: Classification): boolean {
  return verdict.class === 'completed' || verdict.class === 'executed-unusable' || verdict.class === 'pending';
}

function stopped(run: Run): Classification {
  if (!run.flight.cancelRequested) return noAnswer(run, 'the caller stopped waiting');
  run.cancelAll('the caller aborted');
  return { class: 'unknown', says: 'the caller had the send cancelled', doubt: 'aborted', serverFault: false };
}

function noAnswer(run: Run, says: string): Classification {
  const { flight, ports } = run;
  const serverFault = !flight.isAbandoned || flight.stopReason === 'timeout';
  if (serverFault) ports.breaker.failed();
  else for (const send of run.unanswered) run.withdrawProbe(send);
  return { class: 'unknown', says, doubt: 'timeout', serverFault };
}

function notSent(says: string): Classification {
  return { class: 'not-sent', says, serverFault: false };
}
