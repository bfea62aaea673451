/** The way of a call through the engine: join or start its flight, pass the gates, claim, run, answer everybody. */
import { isTerminal } from '../ledger/record.ts';
import { isMcpTxError } from '../outcome/tx-error.ts';
import type { CallPlan } from '../policy/call-plan.ts';
import { claimOperation, replay } from './claim-operation.ts';
import type { FlightEnd } from './flight.ts';
import { Flight, refused } from './flight.ts';
import type { EnginePorts } from './ports.ts';
import { Run } from './run.ts';
import { runAttempts } from './run-attempts.ts';

/** What one caller gets. */
export interface Answer {
  readonly end: FlightEnd;
  /** The caller joined an operation that was under way. */
  readonly joined: boolean;
}

/** Executes a call. Never rejects: whatever happens is in the end. */
export async function executeCall(ports: EnginePorts, plan: CallPlan, startedAt: number): Promise<Answer> {
  if (plan.signal?.aborted === true)
    return { end: refused('ABORTED', 'the signal was aborted before the call'), joined: false };
  const underWay = plan.idempotencyKey === undefined ? undefined : ports.flights.get(plan.operationId);
  if (underWay !== undefined) return join(ports, underWay, plan, startedAt);
  const flight = new Flight(plan, startedAt);
  if (plan.idempotencyKey !== undefined) ports.flights.set(plan.operationId, flight);
  ports.active.add(flight);
  const waiting = flight.wait(plan, startedAt, ports);
  void drive(ports, flight);
  return { end: await waiting, joined: false };
}

async function join(ports: EnginePorts, flight: Flight, plan: CallPlan, startedAt: number): Promise<Answer> {
  const { fingerprint } = flight.plan;
  if (fingerprint !== undefined && plan.fingerprint !== undefined && fingerprint !== plan.fingerprint) {
    const message = `the key ${JSON.stringify(plan.idempotencyKey)} is in use for another tool or other arguments`;
    return { end: refused('KEY_CONFLICT', message), joined: false };
  }
  return { end: await flight.wait(plan, startedAt, ports), joined: true };
}

async function drive(ports: EnginePorts, flight: Flight): Promise<void> {
  let end: FlightEnd;
  try {
    end = await passGatesAndRun(ports, flight);
  } catch (error) {
    end = failure(flight, error);
  }
  if (ports.flights.get(flight.plan.operationId) === flight) ports.flights.delete(flight.plan.operationId);
  ports.active.delete(flight);
  flight.finish(end);
}

async function passGatesAndRun(ports: EnginePorts, flight: Flight): Promise<FlightEnd> {
  const refusal = await passGates(ports, flight);
  if (refusal !== undefined) return (await storedEnd(ports, flight)) ?? refusal;
  for (;;) {
    const claimed = await claimOperation(ports, flight);
    if (!(claimed instanceof Run)) return claimed;
    try {
      const end = await runAttempts(claimed);
      if (end !== 'reclaim') return end;
    } finally {
      if (claimed.held !== undefined) ports.leases.drop(claimed.held);
    }
  }
}

/** Draining, admission, breaker: each refuses before the claim, so a refused call leaves no record. */
async function passGates(ports: EnginePorts, flight: Flight): Promise<FlightEnd | undefined> {
  if (ports.isDraining()) return refused('CLOSED', 'this instance is closing; nothing was sent', { retryable: true });
  const { length } = flight.plan.argumentsText;
  if (!ports.admission.tryEnter(length)) {
    try {
      if (!(await ports.admission.enter(length, flight.stopSignal))) return stoppedInLine(flight);
    } catch (error) {
      if (!isMcpTxError(error)) throw error;
      return refused(error.code, error.message);
    }
  }
  flight.leaveSlot = () => ports.admission.leave(length);
  ports.budget.deposit();
  const refusesFor = ports.breaker.refusesFor();
  if (refusesFor === undefined) return undefined;
  const retryAt = Math.ceil(ports.clock.now() + refusesFor);
  return refused('BREAKER_OPEN', `${flight.plan.serverName} failed too often of late; nothing was sent`, { retryAt });
}

function stoppedInLine(flight: Flight): FlightEnd {
  const code = flight.stopReason === 'aborted' ? 'ABORTED' : 'DEADLINE_EXCEEDED';
  return refused(code, 'the call was still waiting in line; nothing was sent');
}

/** A stored answer needs no slot and no server: it is looked for before a call with a key is turned away. */
async function storedEnd(ports: EnginePorts, flight: Flight): Promise<FlightEnd | undefined> {
  const { idempotencyKey, operationId, fingerprint } = flight.plan;
  if (idempotencyKey === undefined || ports.ledger === undefined) return undefined;
  const record = await ports.ledger.find(operationId).catch(() => undefined);
  if (record === undefined || !isTerminal(record.state)) return undefined;
  return record.fingerprint === fingerprint ? replay(record) : undefined;
}

/** The driver itself failed: the ledger is closed or corrupt, or there is a defect. */
function failure(flight: Flight, error: unknown): FlightEnd {
  if (flight.known !== undefined) return flight.known;
  const execution = flight.attempts > 0 ? 'unknown' : 'none';
  if (isMcpTxError(error)) return refused(error.code, error.message, { execution, cause: error }, flight.attempts);
  return refused('INTERNAL', `the engine failed: ${String(error)}`, { execution, cause: error }, flight.attempts);
}
