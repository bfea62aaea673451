/** Ends an instance in order: intake, work under way, doubt, leases, connection, ledger. */
import { sleep } from '../runtime/clock.ts';
import type { Parts } from './create-ports.ts';
import type { Sweeper } from './sweeper.ts';

/** How long the last writes to the ledger may take once everything has been told to end, ms. */
const LAST_WRITES_MS = 2_000;

/** Shuts down. Never rejects. */
export async function shutDown(
  { ports, connection, ledger, ownsLedger }: Parts,
  sweeper: Sweeper | undefined,
  closed: AbortController,
  graceMs: number,
): Promise<void> {
  await untilIdle(ports, graceMs);
  for (const flight of [...ports.active]) flight.shutDown();
  await untilIdle(ports, LAST_WRITES_MS);
  closed.abort();
  await sweeper?.stop();
  ports.leases.close();
  await connection.close().catch(() => undefined);
  ports.deadlines.close();
  ports.events.clear();
  if (ownsLedger) await ledger?.close().catch(() => undefined);
}

/** Waits until no operation is under way, at most `limitMs`. */
async function untilIdle(ports: Parts['ports'], limitMs: number): Promise<void> {
  if (ports.active.size === 0 || limitMs <= 0) return;
  const idle = new AbortController();
  const check = (): void => {
    if (ports.active.size === 0) idle.abort();
  };
  for (const flight of [...ports.active]) flight.onFinished(check);
  await sleep(ports.clock, limitMs, idle.signal);
}
