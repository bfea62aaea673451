/** Ends an operation: turns the last verdict into an outcome, gets it into the ledger, and tells what callers shall hear. */
import type { Outcome, StoredError } from '../outcome/outcome.ts';
import { executionOf } from '../outcome/outcome.ts';
import type { TxErrorCode } from '../outcome/tx-error.ts';
import { TX_ERRORS } from '../outcome/tx-error.ts';
import type { Classification } from '../policy/classify.ts';
import { stricter } from '../policy/tool-safety.ts';
import { readAck } from '../protocol/ack.ts';
import { EXTENSION_ID } from '../protocol/capability.ts';
import type { AttemptEnd } from './attempt.ts';
import { endsIt, judge } from './attempt.ts';
import type { EndedWith, FlightEnd, Refused } from './flight-end.ts';
import { refused } from './flight-end.ts';
import { FOR_EVER, insist } from './ledger-write.ts';
import { endLate, endOvertaken, notExecuted } from './lost-lease.ts';
import type { Run } from './run.ts';

/** Longest `serverData` that is stored, characters of JSON. */
const MAX_SERVER_DATA = 65_536;

/** Ends with what an attempt proved. `by` names a witness other than the server's own answer. */
export function endSettled(run: Run, end: AttemptEnd, by?: string): FlightEnd | Promise<FlightEnd> {
  if (end.verdict.class === 'unknown' && run.flight.plan.readOnly) return endReleased(run, end.verdict);
  const { outcome, object } = outcomeOf(run, end);
  const { attempt: attempts, mode } = run;
  const known: EndedWith = {
    kind: 'ended',
    outcome,
    object,
    attempts,
    mode,
    duplicate: false,
    recorded: false,
    resolvedBy: by,
  };
  run.dropAll('the operation has ended');
  return run.held === undefined ? known : record(run, known);
}

function record(run: Run, known: EndedWith): FlightEnd | Promise<FlightEnd> {
  run.flight.known = known;
  const settled = settle(run, known.outcome);
  return settled instanceof Promise
    ? settled.then((kept) => recorded(run, known, kept))
    : recorded(run, known, settled);
}

function recorded(run: Run, known: EndedWith, kept: boolean): FlightEnd | Promise<FlightEnd> {
  tellSettled(run, known.outcome);
  return kept ? { ...known, recorded: true } : endLate(run, known);
}

function tellSettled({ ports, flight }: Run, outcome: Outcome): void {
  if (outcome.state === 'in_doubt' && outcome.taskId !== undefined) ports.onRemoteTask();
  if (!ports.events.wants('operation.settled')) return;
  const { operationId, requestId, tool } = flight.plan;
  const reason = outcome.state === 'in_doubt' ? { reason: outcome.reason } : {};
  ports.events.emit('operation.settled', { operationId, requestId, tool, outcome: outcome.state, ...reason });
}

/** Nothing ran: frees the operation, so that its key stays usable, and refuses the callers. */
export async function endReleased(run: Run, verdict: Classification): Promise<FlightEnd> {
  const { ports, flight, held } = run;
  run.dropAll('the operation has ended');
  const refusal = refusalOf(run, verdict);
  if (held === undefined) return refusal;
  flight.known = refusal;
  const released = { attempts: run.attempt, hold: false };
  const isOurs =
    !held.lost && (await insist(ports, flight, 'release', FOR_EVER, (ledger) => ledger.release(held.lease, released)));
  return isOurs ? refusal : endOvertaken(run, refusal, notExecuted(verdict));
}

/** The ledger could not record this owner's first send. A former owner's stays as it is, until the lease runs out. */
export function endUnmarked(run: Run, { says }: Classification): FlightEnd {
  const details = { execution: 'unknown', retryable: true, reason: 'owner-lost', cause: run.ledgerError } as const;
  return refused('LEDGER_UNAVAILABLE', `${says}; an earlier owner has sent it`, details, run.attempt);
}

/**
 * Not to be sent again by now: hears out the answers that may still come, until the grace after the deadline is over. `again`:
 * a new caller has come, so that what may be sent again may be sent again.
 */
export async function endListening(run: Run, verdict: Classification): Promise<FlightEnd | 'again'> {
  const { ports, flight } = run;
  const { settleGraceMs } = flight.plan.defaults;
  for (;;) {
    const leftMs = flight.deadline + settleGraceMs - ports.clock.monotonic();
    const isHeardOut = run.inbox.isEmpty; // an answer that came while the ledger was waited for is heard first
    if (isHeardOut && flight.stopReason === 'shutdown' && flight.isAbandoned) return endAtShutdown(run, verdict);
    if (run.unanswered.length === 0 || (isHeardOut && leftMs <= 0))
      return endSettled(run, { verdict: unresolved(run, verdict) });
    const timer = ports.clock.timer(leftMs, () => run.inbox.wake(), { background: flight.isAbandoned });
    const event = await run.inbox.next();
    timer.cancel();
    const mode = stricter(run.mode, flight.strictest);
    if (event.kind === 'revived' && mode !== 'at-most-once') return 'again';
    if (event.kind === 'stopped' && flight.cancelRequested) run.cancelAll('the caller aborted');
    if (event.kind !== 'ended') continue;
    const end = judge(run, event.send, event.seen);
    if (endsIt(end.verdict)) return endSettled(run, end);
    if (run.isClean) return end.verdict.class === 'rejected' ? endSettled(run, end) : endReleased(run, end.verdict);
  }
}

function unresolved(run: Run, verdict: Classification): Classification {
  return { ...verdict, class: 'unknown', doubt: run.doubt ?? 'timeout' };
}

/** This process goes away. What another may still send again is left to it; the rest is in doubt. */
function endAtShutdown(run: Run, verdict: Classification): FlightEnd | Promise<FlightEnd> {
  const { flight } = run;
  if (run.mode !== 'at-most-once' && !flight.plan.readOnly) return endDetached(run);
  return endSettled(run, { verdict: { ...verdict, class: 'unknown', doubt: 'shutdown' } });
}

/** Left to the next owner as it is. */
export function endDetached({ flight, attempt }: Run): FlightEnd {
  return { kind: 'detached', reason: flight.stopReason, attempts: attempt, mayHaveRun: true, othersUnknown: false };
}

function settle(run: Run, outcome: Outcome): boolean | Promise<boolean> {
  const { ports, flight, held } = run;
  if (held === undefined) return false;
  return insist(ports, flight, 'settle', FOR_EVER, (ledger) => ledger.settle(held.lease, outcome));
}

function outcomeOf(run: Run, end: AttemptEnd): { readonly outcome: Outcome; readonly object?: object } {
  const { verdict, seen } = end;
  switch (verdict.class) {
    case 'completed':
      return completed(run, seen?.result as Record<string, unknown>);
    case 'executed-unusable':
      return { outcome: { state: 'completed', unusable: storedError('RESULT_UNUSABLE', verdict) } };
    case 'rejected':
      return { outcome: { state: 'failed', error: storedError('REJECTED', verdict) } };
    default: {
      const task = verdict.taskId === undefined ? {} : { taskId: verdict.taskId };
      return { outcome: { state: 'in_doubt', reason: verdict.doubt ?? run.doubt ?? 'timeout', ...task } };
    }
  }
}

/** The result without our own entry of `_meta`, serialised once: what every caller will get a parse of. */
function completed(run: Run, result: Record<string, unknown>): { readonly outcome: Outcome; readonly object?: object } {
  const clean = withoutOurMeta(result);
  const exactlyOnce = readAck(result['_meta'])?.exactlyOnce === true ? ({ exactlyOnce: true } as const) : undefined;
  if (run.held === undefined) return { outcome: { state: 'completed', result: '', ...exactlyOnce }, object: clean };
  const text = serialise(clean);
  const { maxResultLength } = run.flight.plan.defaults;
  if (text !== undefined && text.length <= maxResultLength)
    return { outcome: { state: 'completed', result: text, ...exactlyOnce } };
  const says =
    text === undefined ? 'the result is not JSON' : `the result is longer than ${maxResultLength} characters`;
  return { outcome: { state: 'completed', unusable: { code: 'RESULT_UNUSABLE', message: says } } };
}

function serialise(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function withoutOurMeta(result: Record<string, unknown>): Record<string, unknown> {
  const meta = result['_meta'];
  if (typeof meta !== 'object' || meta === null || !Object.hasOwn(meta, EXTENSION_ID)) return result;
  const { [EXTENSION_ID]: _ours, ...others } = meta as Record<string, unknown>;
  if (Object.keys(others).length > 0) return { ...result, _meta: others };
  const { _meta: _gone, ...rest } = result;
  return rest;
}

/** What a server adds to its refusal is kept for people: nobody reads so much. */
function isLong(data: unknown): boolean {
  return (serialise(data as object)?.length ?? 0) > MAX_SERVER_DATA;
}

function storedError(code: TxErrorCode, verdict: Classification): StoredError {
  const server = verdict.serverError;
  return {
    code,
    message: verdict.says.slice(0, 2_000),
    ...(server?.code === undefined ? {} : { serverCode: server.code }),
    ...(server?.status === undefined ? {} : { serverStatus: server.status }),
    ...(server?.data === undefined || isLong(server.data) ? {} : { serverData: server.data }),
  };
}

/** What callers hear when nothing ran. */
function refusalOf(run: Run, verdict: Classification): Refused {
  const { flight, ports } = run;
  const { stopReason, plan } = flight;
  const retryAt =
    verdict.retryAfterMs === undefined ? {} : { retryAt: Math.ceil(ports.clock.now() + verdict.retryAfterMs) };
  const server = verdict.serverError === undefined ? {} : { serverError: verdict.serverError };
  const attempts = run.attempt;
  if (run.ledgerError !== undefined) {
    return refused('LEDGER_UNAVAILABLE', verdict.says, { cause: run.ledgerError }, attempts);
  }
  if (verdict.class === 'unknown') {
    const details = { execution: 'unknown', retryable: true, reason: verdict.doubt ?? 'timeout' } as const;
    return refused(
      'DEADLINE_EXCEEDED',
      `${plan.tool} was sent ${attempts} times and never answered; it is declared read-only, so repeat it`,
      details,
      attempts,
    );
  }
  if (verdict.class === 'rejected-auth') return refused('UNAUTHORIZED', verdict.says, server, attempts);
  if (verdict.class === 'rejected-busy')
    return refused('SERVER_BUSY', verdict.says, { ...retryAt, ...server }, attempts);
  if (flight.isAbandoned && stopReason !== 'shutdown') {
    const code = stopReason === 'aborted' ? 'ABORTED' : 'DEADLINE_EXCEEDED';
    return refused(code, `nothing was executed: ${verdict.says}`, {}, attempts);
  }
  if (verdict.retryAfterMs !== undefined) return refused('BREAKER_OPEN', verdict.says, retryAt, attempts);
  if (ports.clock.monotonic() >= flight.deadline)
    return refused('DEADLINE_EXCEEDED', `nothing was executed: ${verdict.says}`, {}, attempts);
  return refused('CONNECTION_FAILED', `nothing was executed: ${verdict.says}`, server, attempts);
}

/** What is known of the effect of an operation that ended so. */
export function executionOfEnd(end: FlightEnd): 'none' | 'unknown' | 'done' {
  if (end.kind === 'ended') return executionOf(end.outcome);
  if (end.kind === 'detached') return end.mayHaveRun || end.othersUnknown ? 'unknown' : 'none';
  return end.details.execution ?? TX_ERRORS[end.code].execution;
}
