/** Asks the server itself about an operation in doubt, and decides how much of what it says may be believed. */
import type { OperationStatus } from '../connect/operation-status.ts';
import type { ServerConnection } from '../connect/server-source.ts';
import type { OperationRecord } from '../ledger/record.ts';
import type { Clock } from '../runtime/clock.ts';
import { withinTime } from './within-time.ts';

/** What asking needs. */
export interface AskServerKit {
  readonly clock: Clock;
  readonly connection: ServerConnection;
}

const STATUS_TIMEOUT_MS = 10_000;

/** What the server says that may be believed; `unknown` when it does not answer. */
export async function askServer(
  { clock, connection }: AskServerKit,
  record: OperationRecord,
): Promise<OperationStatus> {
  const ask = async (signal: AbortSignal): Promise<OperationStatus> =>
    (await connection.operationStatus?.(record.operationId, signal)) ?? { state: 'unaware' };
  const status = await withinTime(clock, STATUS_TIMEOUT_MS, ask).catch((): OperationStatus => ({ state: 'unknown' }));
  if (status.state !== 'absent') return status;
  return reachesBack(status.rememberedMs, record, clock.now()) ? status : { state: 'unknown' };
}

/** Whether this server can be asked, as far as is known without a connection. */
export function canAskServer({ connection }: AskServerKit): boolean {
  return connection.operationStatus !== undefined && connection.speaksMcpTx;
}

/** The same, found out. */
export async function findOutWhetherServerCanBeAsked(kit: AskServerKit): Promise<boolean> {
  const { clock, connection } = kit;
  if (connection.operationStatus === undefined) return false;
  await withinTime(clock, STATUS_TIMEOUT_MS, (signal) => connection.makeReady(false, signal)).catch(() => undefined);
  return canAskServer(kit);
}

/**
 * "No record" proves something only when the server would have one: it recognised operations when this one was sent, and what
 * its store was given since then is all still there.
 */
function reachesBack(rememberedMs: number, record: OperationRecord, now: number): boolean {
  const ageMs = now - record.createdAt;
  return record.mode === 'effectively-once' && ageMs >= 0 && rememberedMs > ageMs;
}
