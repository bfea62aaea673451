/** What stands between a call and a send: a slot among those under way, and the breaker. Passed once, kept until used. */
import type { Flight } from './flight.ts';
import type { EnginePorts } from './ports.ts';

/**
 * Takes a slot for the flight, waiting in line if it must; `false`: its callers have left meanwhile.
 *
 * @throws McpTxError `OVERLOADED` when the line is full, or too long for the time left
 */
export async function takeSlot(ports: EnginePorts, flight: Flight): Promise<boolean> {
  const { argumentsLength } = flight.plan;
  const { admission } = ports;
  const isIn =
    admission.tryEnter(argumentsLength) || (await admission.enter(argumentsLength, flight, flight.stopSignal));
  if (!isIn) return false;
  holdSlot(ports, flight);
  if (flight.isAbandoned) flight.freeSlot();
  return !flight.isAbandoned;
}

/** Notes that the flight has a slot. */
export function holdSlot(ports: EnginePorts, flight: Flight): void {
  flight.slotOf = ports.admission;
}

/**
 * Asks the breaker for the next send, at most once: a place among the few that a half-open breaker lets through is kept until a
 * send takes it along. Returns for how long it refuses, ms.
 */
export function passBreaker(ports: EnginePorts, flight: Flight): number | undefined {
  if (flight.returnProbe !== undefined) return undefined;
  const admittance = ports.breaker.admit();
  if (typeof admittance === 'object') return admittance.retryInMs;
  const { period } = ports.breaker;
  if (admittance === 'probing') flight.returnProbe = () => ports.breaker.withdrawn(period);
  return undefined;
}
