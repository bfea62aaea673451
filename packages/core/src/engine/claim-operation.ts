/** Takes the right to drive an operation, or learns how it stands: replay, conflict, in doubt, somebody else at work. */
import type { Claim, ClaimRequest } from '../ledger/ledger.ts';
import type { OperationRecord } from '../ledger/record.ts';
import type { CallPlan } from '../policy/call-plan.ts';
import { stricter } from '../policy/tool-safety.ts';
import { sleep } from '../runtime/clock.ts';
import type { Mutable } from '../runtime/mutable.ts';
import type { Flight } from './flight.ts';
import type { FlightEnd } from './flight-end.ts';
import { RECORD_UNKNOWN, refused } from './flight-end.ts';
import { settleWindowMs } from './in-doubt.ts';
import { FOR_CALLERS, insist, isUnavailable } from './ledger-write.ts';
import type { EnginePorts } from './ports.ts';
import { Run } from './run.ts';

/** Characters of base32 that tell the owners of one operation apart: 78 random bits. Ledgers keep the token in each record. */
const TOKEN_LENGTH = 16;
const POLL = { firstMs: 25, maxMs: 250 } as const;

/** Another owner is at work. */
export type Busy = Extract<Claim, { kind: 'busy' }>;

/** Claims: gets the operation, an answer for the callers, or to know that somebody else has it. */
export function claimOperation(
  ports: EnginePorts,
  flight: Flight,
): Run | FlightEnd | Busy | Promise<Run | FlightEnd | Busy> {
  const leftBehind = flight.plan.defaults.quarantineMs > 0 ? equalLeftBehind(ports, flight) : undefined;
  if (leftBehind !== undefined) return repeatOf(flight.plan, leftBehind);
  const requestedAt = ports.clock.monotonic();
  const request = requestFor(ports, flight, requestedAt);
  const answer = insist(ports, flight, 'claim', FOR_CALLERS, (ledger) => ledger.claim(request));
  if (!(answer instanceof Promise)) return claimed(ports, flight, answer, request, requestedAt);
  return answer.then(
    (claim) => claimed(ports, flight, claim, request, requestedAt),
    (error: unknown) => claimFailed(ports, flight, request, error),
  );
}

function claimed(
  ports: EnginePorts,
  flight: Flight,
  claim: Claim,
  request: ClaimRequest,
  requestedAt: number,
): Run | FlightEnd | Busy {
  if (claim.kind === 'claimed') return begin(ports, flight, claim, request, requestedAt);
  return claim.kind === 'busy' ? claim : answerOf(flight.plan, claim);
}

function begin(
  ports: EnginePorts,
  flight: Flight,
  claim: Extract<Claim, { kind: 'claimed' }>,
  request: ClaimRequest,
  requestedAt: number,
): Run {
  flight.known = undefined;
  flight.othersUnknown = false;
  const former = claim.takenOver;
  const inherited = former?.state === 'sent';
  const marked = request.state === 'sent' && former === undefined; // a record that was taken over has to be marked anew
  return new Run({
    ports,
    flight,
    held: ports.leases.hold(claim.lease, requestedAt),
    attempt: marked ? claim.attempts - 1 : claim.attempts,
    attemptLimit: claim.attemptLimit,
    marked,
    mode: inherited ? stricter(former.mode, flight.plan.mode) : flight.plan.mode,
    inherited,
  });
}

/** Drives an operation without any record of it. */
export function unrecorded(ports: EnginePorts, flight: Flight): Run {
  return new Run({
    ports,
    flight,
    held: undefined,
    attempt: 0,
    attemptLimit: flight.plan.retry.maxAttempts,
    marked: ports.breaker.isClosed && ports.caller.isReady(!flight.plan.safe),
    mode: flight.plan.mode,
    inherited: false,
  });
}

function requestFor(ports: EnginePorts, flight: Flight, now: number): ClaimRequest {
  const { plan } = flight;
  const { defaults } = plan;
  const straightToSent = ports.breaker.isClosed && ports.caller.isReady(!plan.safe);
  const deadlineInMs = Math.ceil(flight.deadline - now);
  const request: Mutable<ClaimRequest> = {
    operationId: plan.operationId,
    digest: plan.digest,
    scope: plan.scope,
    serverName: plan.serverName,
    tool: plan.tool,
    requestId: plan.requestId,
    ownerToken: plan.requestId.slice(-TOKEN_LENGTH),
    state: straightToSent ? 'sent' : 'claimed',
    leaseMs: ports.leases.leaseMsFor(deadlineInMs, defaults.safetyMarginMs),
    mode: plan.mode,
    maxAttempts: plan.retry.maxAttempts,
    deadlineInMs,
    settleWindowMs: settleWindowMs(plan),
    retentionMs: defaults.retentionMs,
  };
  if (plan.idempotencyKey !== undefined) request.idempotencyKey = plan.idempotencyKey;
  if (plan.fingerprint !== undefined) request.fingerprint = plan.fingerprint;
  if (plan.storeArguments && plan.argumentsText !== undefined) request.arguments = plan.argumentsText;
  const quarantine = defaults.quarantineMs > 0 ? quarantineOf(ports, plan) : undefined;
  if (quarantine !== undefined) request.quarantine = quarantine;
  return request;
}

/** A call that is safe to repeat, or looks so to the server itself, is neither held back nor holds another one back. */
function quarantineOf({ session }: EnginePorts, plan: CallPlan): ClaimRequest['quarantine'] {
  if (plan.hintedReadOnly || plan.safe) return undefined;
  const { repeatOf } = plan;
  return { session, windowMs: plan.defaults.quarantineMs, ...(repeatOf === undefined ? {} : { repeatOf }) };
}

/** An equal operation that this process still listens to, though its callers have left: the ledger knows of it at its deadline. */
function equalLeftBehind(ports: EnginePorts, { plan }: Flight): string | undefined {
  if (plan.idempotencyKey !== undefined || plan.fingerprint === undefined || plan.hintedReadOnly || plan.safe)
    return undefined;
  const equal = [...ports.active].filter(
    (other) =>
      other.isAbandoned &&
      other.mayHaveRun &&
      other.plan.fingerprint === plan.fingerprint &&
      other.plan.scope === plan.scope,
  );
  return equal.some((other) => other.plan.operationId === plan.repeatOf) ? undefined : equal[0]?.plan.operationId;
}

/** What callers hear of an operation that needs no driver. */
function answerOf(plan: CallPlan, claim: Exclude<Claim, { kind: 'claimed' | 'busy' }>): FlightEnd {
  switch (claim.kind) {
    case 'replay':
    case 'in_doubt':
      return replay(claim.record);
    case 'conflict':
      return refused(
        'KEY_CONFLICT',
        `the key ${JSON.stringify(plan.idempotencyKey)} was used for another tool or other arguments`,
      );
    case 'expired':
      return refused(
        'KEY_EXPIRED',
        `the record of the key ${JSON.stringify(plan.idempotencyKey)} has expired; use a new key for a new intent`,
      );
    case 'repeat':
      return repeatOf(plan, claim.operationId);
  }
}

function repeatOf(plan: CallPlan, operationId: string): FlightEnd {
  const message = `the same call to ${plan.tool} may have run as ${operationId}; do not repeat it before that is known`;
  return refused('REPEAT_QUARANTINED', message, { operationId });
}

/** The stored end of an operation, for a caller who comes later. */
export function replay(record: OperationRecord): FlightEnd {
  return {
    kind: 'ended',
    outcome: record.outcome ?? { state: 'in_doubt', reason: 'owner-lost' },
    attempts: record.attempts,
    mode: record.mode,
    duplicate: true,
    recorded: true,
    ...(record.resolvedBy === undefined ? {} : { resolvedBy: record.resolvedBy }),
  };
}

/** Waits a little, longer each time, while another owner is at work; an end for the callers when waiting is not wanted or over. */
export async function waitForOwner(
  ports: EnginePorts,
  flight: Flight,
  busy: Busy,
  earlierWaits: number,
): Promise<FlightEnd | undefined> {
  flight.withdrawProbe(); // who waits for another process must not keep others from asking the server
  const message = `another process drives ${flight.plan.operationId}; repeat with the same key to get its answer`;
  const details = { retryAt: Math.ceil(ports.clock.now() + Math.min(busy.leaseLeftMs, 1_000)) };
  const inProgress = refused('IN_PROGRESS', message, details, busy.record.attempts);
  if (flight.plan.ifBusy === 'fail') return inProgress;
  flight.known = inProgress;
  const pollMs = Math.min(POLL.firstMs * 2 ** earlierWaits, POLL.maxMs);
  const waited = await sleep(ports.clock, pollMs * (0.5 + ports.random.next() / 2), flight.stopSignal);
  if (waited === 'aborted') return inProgress;
  return undefined;
}

/** The claim may or may not have been written. Nothing was sent; a claim that was written is given back when the ledger returns. */
function claimFailed(ports: EnginePorts, flight: Flight, request: ClaimRequest, error: unknown): FlightEnd | Run {
  if (!isUnavailable(error)) throw error;
  void undoClaim(ports, flight, request);
  if (flight.plan.readOnly && flight.plan.defaults.readOnlyWithoutLedger) return unrecorded(ports, flight);
  const earlier = flight.othersUnknown ? RECORD_UNKNOWN : {};
  const message = 'the ledger did not take the claim, so nothing was sent';
  return refused('LEDGER_UNAVAILABLE', message, { cause: error, ...earlier });
}

async function undoClaim(ports: EnginePorts, flight: Flight, request: ClaimRequest): Promise<void> {
  try {
    await insist(ports, flight, 'release', { tries: 8, forCallers: false }, async (ledger) => {
      const claim = await ledger.claim(request);
      if (claim.kind !== 'claimed' || claim.takenOver?.state === 'sent') return;
      const isCounted = request.state === 'sent' && claim.takenOver === undefined;
      const attempts = isCounted ? claim.attempts - 1 : claim.attempts;
      await ledger.release(claim.lease, { attempts, hold: false });
    });
  } catch {
    // The lease runs out by itself; the sweep then says what is left of it.
  }
}
