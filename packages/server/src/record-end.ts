/** Writes down how an operation ended. A ledger that is away does not keep the answer back: writing goes on behind it. */
import type { Clock, Lease, Ledger, Outcome } from '@mcp-tx/core/ledger';
import { isMcpTxError } from '@mcp-tx/core/ledger';

/** How writing went so far. */
export interface Recording {
  /** It is written; `false`: not yet, or never. */
  readonly recorded: boolean;
  /** Settles when it is written, or when nobody tries any more. */
  readonly done: Promise<void>;
}

/** What writing needs. */
export interface RecordKit {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  /** Aborted when the process is about to end. */
  readonly closing: AbortSignal;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Never rejects. */
export async function recordEnd(
  kit: RecordKit,
  lease: Lease,
  attempts: number,
  outcome: Outcome | 'released',
): Promise<Recording> {
  const write = (): Promise<void> => writeOnce(kit.ledger, lease, attempts, outcome);
  try {
    await write();
    return { recorded: true, done: Promise.resolve() };
  } catch (error) {
    kit.onError(error);
    return { recorded: false, done: isAway(error) ? keepWriting(kit, write) : Promise.resolve() };
  }
}

async function writeOnce(ledger: Ledger, lease: Lease, attempts: number, outcome: Outcome | 'released'): Promise<void> {
  if (outcome === 'released') {
    await ledger.release(lease, { attempts, hold: false });
    return;
  }
  if (await ledger.settle(lease, outcome)) return;
  if (outcome.state === 'in_doubt') return; // whoever took it over has said the same
  const reason = 'the tool ended after its lease had run out';
  await ledger.resolve(lease.operationId, { outcome, by: 'late-answer', reason });
}

async function keepWriting(kit: RecordKit, write: () => Promise<void>): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; !kit.closing.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    await pause(kit, pauseMs);
    try {
      await write();
      return;
    } catch (error) {
      if (!isAway(error)) return kit.onError(error);
    }
  }
}

function pause({ clock, closing }: RecordKit, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      timer.cancel();
      closing.removeEventListener('abort', wake);
      resolve();
    };
    const timer = clock.timer(delayMs, wake);
    closing.addEventListener('abort', wake, { once: true });
  });
}

function isAway(error: unknown): boolean {
  return isMcpTxError(error) && error.code === 'LEDGER_UNAVAILABLE';
}
