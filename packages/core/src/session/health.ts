/** Says how an instance stands, in the few words that a health endpoint needs. */
import type { ConnectionState, ServerConnection } from '../connect/server-source.ts';
import type { EnginePorts } from '../engine/ports.ts';
import type { Durability } from '../outcome/durability.ts';

/** `ok`: calls go through. `degraded`: some will not. `down`: none will. `draining`: closing. */
export interface Health {
  readonly status: 'ok' | 'degraded' | 'down' | 'draining';
  readonly connection: ConnectionState;
  /** Connections made so far. */
  readonly generation: number;
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly inFlight: number;
  readonly queued: number;
  /** Operations under way, those included that only listen for a late answer. */
  readonly operations: number;
  readonly ledger: Durability | 'none';
}

/** Collects it. `check` asks the server for a sign of life. */
export async function healthOf(
  ports: EnginePorts,
  connection: ServerConnection,
  isClosing: boolean,
  check: (() => Promise<void>) | undefined,
): Promise<Health> {
  const isAlive =
    check === undefined || isClosing
      ? connection.state !== 'down'
      : await check().then(
          () => true,
          () => false,
        );
  const breaker = ports.breaker.state;
  const status = isClosing ? 'draining' : !isAlive ? 'down' : breaker === 'closed' ? 'ok' : 'degraded';
  return {
    status,
    connection: connection.state,
    generation: connection.generation,
    breaker,
    inFlight: ports.admission.inFlight,
    queued: ports.admission.queued,
    operations: ports.active.size,
    ledger: ports.ledger?.durability ?? 'none',
  };
}
