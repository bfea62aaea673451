/** The way of a call through the engine: join or start its flight, pass the gates, claim, run, answer everybody. */
import type { OperationRecord } from '../ledger/record.ts';
import { isTerminal } from '../ledger/record.ts';
import { isMcpTxError } from '../outcome/tx-error.ts';
import type { CallPlan } from '../policy/call-plan.ts';
import { sleep } from '../runtime/clock.ts';
import type { Busy } from './claim-operation.ts';
import { claimOperation, replay, unrecorded, waitForOwner } from './claim-operation.ts';
import { executionOfEnd } from './end-operation.ts';
import type { Driver } from './flight.ts';
import { Flight } from './flight.ts';
import type { FlightEnd, Refused } from './flight-end.ts';
import { RECORD_UNKNOWN, refused } from './flight-end.ts';
import { holdSlot, passBreaker, takeSlot } from './gates.ts';
import type { EnginePorts } from './ports.ts';
import { Run } from './run.ts';
import { runAttempts } from './run-attempts.ts';

/** How long an owner that lost its lease waits before it claims anew, ms. */
const RECLAIM_MS = 10;

type Claimed = Run | FlightEnd | Busy;

/** A call under way. */
export interface Execution {
  /** Never rejects: whatever happens is in the end. */
  readonly end: Promise<FlightEnd>;
  /** The caller joined an operation that was under way. */
  joined: boolean;
}

/** Executes a call. */
export function executeCall(ports: EnginePorts, plan: CallPlan, startedAt: number): Execution {
  if (plan.signal?.aborted === true) return answered(abortedBefore(plan));
  const underWay = plan.idempotencyKey === undefined ? undefined : ports.flights.get(plan.operationId);
  if (underWay !== undefined) return join(ports, underWay, plan, startedAt);
  const flight = new Flight(plan, startedAt);
  if (plan.idempotencyKey !== undefined) ports.flights.set(plan.operationId, flight);
  ports.active.push(flight);
  const end = flight.wait(plan, startedAt, ports.deadlines);
  void drive(ports, flight);
  return { end, joined: false };
}

function join(ports: EnginePorts, flight: Flight, plan: CallPlan, startedAt: number): Execution {
  if (isConflict(flight.plan, plan)) return answered(conflict(plan));
  const isEnding = flight.known?.kind === 'refused';
  const waiting = flight.wait(plan, startedAt, ports.deadlines);
  const execution: Execution = { end: waiting, joined: true };
  const end = waiting.then(async (seen) => {
    const leftMs = startedAt + plan.timeoutMs - ports.clock.monotonic();
    // Nothing ran because everybody else had left, or it had been given up before this caller came: that is no answer for it.
    const endedForOthers = seen.kind === 'refused' && (flight.wasAbandoned || isEnding) && didNothing(seen);
    if (!endedForOthers) return seen;
    const obstacle = ownObstacle(ports, plan, leftMs);
    const since = isEnding ? RECORD_UNKNOWN : undefined; // others may have run it since it was given up
    if (obstacle !== undefined)
      return refused(obstacle, 'this call did nothing', { ...seen.details, retryable: true, ...since }, seen.attempts);
    const anew = executeCall(ports, { ...plan, timeoutMs: leftMs }, ports.clock.monotonic());
    const last = await anew.end;
    execution.joined = anew.joined;
    return last;
  });
  return Object.assign(execution, { end });
}

function abortedBefore(plan: CallPlan): FlightEnd {
  const earlier = plan.idempotencyKey === undefined ? {} : RECORD_UNKNOWN;
  return refused('ABORTED', 'the signal was aborted before the call', earlier);
}

function didNothing(seen: Refused): boolean {
  return executionOfEnd(seen) === 'none' || seen.details.reason === RECORD_UNKNOWN.reason;
}

/** Why this caller's operation cannot be driven anew, in the caller's own terms. */
function ownObstacle(
  ports: EnginePorts,
  plan: CallPlan,
  leftMs: number,
): 'ABORTED' | 'DEADLINE_EXCEEDED' | 'CLOSED' | undefined {
  if (plan.signal?.aborted === true) return 'ABORTED';
  if (leftMs <= 0) return 'DEADLINE_EXCEEDED';
  return ports.isDraining() ? 'CLOSED' : undefined;
}

function answered(end: FlightEnd): Execution {
  return { end: Promise.resolve(end), joined: false };
}

/** Gives the flight its end, whatever happens. */
function drive(ports: EnginePorts, flight: Flight): void {
  const finish = (end: FlightEnd | 'reclaim'): void => {
    dropLease(ports, flight);
    if (end === 'reclaim' || cameBackTo(flight, end)) {
      void claimAgain(ports, flight).then(finish, fail);
      return;
    }
    const { idempotencyKey, operationId } = flight.plan;
    if (idempotencyKey !== undefined && ports.flights.get(operationId) === flight) ports.flights.delete(operationId);
    ports.active.remove(flight);
    flight.finish(end);
  };
  const fail = (error: unknown): void => finish(failure(flight, error));
  try {
    const refusal = passGates(ports, flight);
    const driven = refusal === undefined ? run(ports, flight) : runUnlessRefused(ports, flight, refusal);
    void driven.then(finish, fail);
  } catch (error) {
    fail(error);
  }
}

/** The flight was left to the next owner, and meanwhile another caller has joined it: it is the next one. */
function cameBackTo({ isAbandoned }: Flight, end: FlightEnd): boolean {
  return end.kind === 'detached' && end.reason === 'aborted' && !isAbandoned;
}

function dropLease(ports: EnginePorts, { driver }: Flight): void {
  if (driver?.held !== undefined) ports.leases.drop(driver.held);
}

async function runUnlessRefused(
  ports: EnginePorts,
  flight: Flight,
  gates: FlightEnd | Promise<FlightEnd | undefined>,
): Promise<FlightEnd | 'reclaim'> {
  const refusal = await gates;
  if (refusal === undefined) return run(ports, flight);
  return (await storedEnd(ports, flight.plan)) ?? refusal;
}

/** `reclaim`: somebody else has taken the operation over; follow them. */
function run(ports: EnginePorts, flight: Flight): Promise<FlightEnd | 'reclaim'> {
  if (ports.ledger === undefined) return runAttempts(unrecorded(ports, flight));
  const claimed = claimOperation(ports, flight);
  return claimed instanceof Run ? runAttempts(claimed) : runWhenClaimed(ports, flight, claimed);
}

async function runWhenClaimed(
  ports: EnginePorts,
  flight: Flight,
  first: Claimed | Promise<Claimed>,
  former?: Driver,
): Promise<FlightEnd | 'reclaim'> {
  let claimed = await first;
  for (let waits = 0; !(claimed instanceof Run); waits += 1) {
    if (claimed.kind !== 'busy') return claimed;
    const end = await waitForOwner(ports, flight, claimed, waits);
    if (end !== undefined) return end;
    claimed = await claimOperation(ports, flight);
  }
  if (former instanceof Run) claimed.goOnAfter(former);
  return runAttempts(claimed);
}

async function claimAgain(ports: EnginePorts, flight: Flight): Promise<FlightEnd | 'reclaim'> {
  const former = flight.driver;
  await sleep(ports.clock, RECLAIM_MS, flight.stopSignal); // so that no ledger is ever asked in a circle
  return runWhenClaimed(ports, flight, claimOperation(ports, flight), former);
}

/** Draining, admission, breaker: each refuses before the claim, so a refused call leaves no record. */
function passGates(ports: EnginePorts, flight: Flight): FlightEnd | undefined | Promise<FlightEnd | undefined> {
  if (ports.isDraining()) return refused('CLOSED', 'this instance is closing; nothing was sent', { retryable: true });
  if (!ports.admission.tryEnter(flight.plan.argumentsLength)) return standInLine(ports, flight);
  holdSlot(ports, flight);
  return askBreaker(ports, flight);
}

async function standInLine(ports: EnginePorts, flight: Flight): Promise<FlightEnd | undefined> {
  try {
    if (!(await takeSlot(ports, flight))) return stoppedInLine(flight);
  } catch (error) {
    if (!isMcpTxError(error)) throw error;
    return refused(error.code, error.message);
  }
  return askBreaker(ports, flight);
}

function askBreaker(ports: EnginePorts, flight: Flight): FlightEnd | undefined {
  const refusesForMs = passBreaker(ports, flight);
  if (refusesForMs === undefined) return undefined;
  const retryAt = Math.ceil(ports.clock.now() + refusesForMs);
  return refused('BREAKER_OPEN', `${flight.plan.serverName} failed too often of late; nothing was sent`, { retryAt });
}

function stoppedInLine(flight: Flight): FlightEnd {
  const code = flight.stopReason === 'aborted' ? 'ABORTED' : 'DEADLINE_EXCEEDED';
  return refused(code, 'the call was still waiting in line; nothing was sent');
}

/**
 * What is stored of a key, for a call that is turned away: an answer, a conflict, or that somebody has sent it. A stored answer
 * needs no slot and no server.
 */
export async function storedEnd(ports: EnginePorts, plan: CallPlan): Promise<FlightEnd | undefined> {
  if (plan.idempotencyKey === undefined || ports.ledger === undefined) return undefined;
  const record = await ports.ledger.find(plan.operationId).catch((cause: unknown) => {
    const message = 'the ledger did not say how the key stands; nothing was sent';
    return refused('LEDGER_UNAVAILABLE', message, { cause, ...RECORD_UNKNOWN });
  });
  if (record === undefined || 'kind' in record) return record;
  if (isConflict(record, plan)) return conflict(plan);
  if (isTerminal(record.state)) return replay(record);
  if (record.state === 'claimed' && record.leaseUntil === 0) return undefined; // given back: nothing of it is under way
  return refused('IN_PROGRESS', `${plan.operationId} is ${record.state} by somebody else`, {}, record.attempts);
}

function isConflict(
  one: Pick<OperationRecord, 'tool'> & { readonly fingerprint?: string | undefined },
  plan: CallPlan,
): boolean {
  if (one.tool !== plan.tool) return true;
  return one.fingerprint !== undefined && plan.fingerprint !== undefined && one.fingerprint !== plan.fingerprint;
}

function conflict(plan: CallPlan): FlightEnd {
  const message = `the key ${JSON.stringify(plan.idempotencyKey)} is in use for another tool or other arguments`;
  return refused('KEY_CONFLICT', message);
}

/** The driver itself failed: the ledger is closed or corrupt, or there is a defect. */
function failure(flight: Flight, error: unknown): FlightEnd {
  if (flight.known !== undefined) return flight.known;
  const isKnownNew = isMcpTxError(error) && error.reason === 'scope-quota'; // it was looked for
  const execution = flight.mayHaveRun || (flight.othersUnknown && !isKnownNew) ? 'unknown' : 'none';
  if (isMcpTxError(error)) {
    const reason = error.reason === undefined ? {} : { reason: error.reason };
    return refused(error.code, error.message, { execution, cause: error, ...reason }, flight.attempts);
  }
  return refused('INTERNAL', `the engine failed: ${String(error)}`, { execution, cause: error }, flight.attempts);
}
