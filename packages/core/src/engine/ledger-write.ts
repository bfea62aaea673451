/** Gets writes into a ledger that may be away for a while: each may be repeated, so it is, for as long as it makes sense. */
import type { Ledger } from '../ledger/ledger.ts';
import { isMcpTxError } from '../outcome/tx-error.ts';
import { backoffMs } from '../policy/backoff.ts';
import { sleep } from '../runtime/clock.ts';
import type { Flight } from './flight.ts';
import type { EnginePorts } from './ports.ts';

const WAITS = { baseDelayMs: 25, maxDelayMs: 2_000, backoffMultiplier: 2, jitter: 'full' } as const;

/** Names of the writes, for events. */
export type LedgerWrite = 'claim' | 'markSent' | 'release' | 'settle' | 'resolve';

/** How long to insist. */
export interface Insistence {
  /** Tries in all; the last error is thrown. */
  readonly tries: number;
  /** Stop as soon as the last caller has left. */
  readonly forCallers: boolean;
}

/** A few times, and only while somebody waits. */
export const FOR_CALLERS: Insistence = { tries: 3, forCallers: true };
/** Until the ledger has it, or the instance is closed. */
export const FOR_EVER: Insistence = { tries: Number.POSITIVE_INFINITY, forCallers: false };

/**
 * Makes one write, and again while the ledger is unavailable.
 *
 * @throws McpTxError whatever the ledger threw last, once the tries are used up, or at once when repeating cannot help
 */
export function insist<T>(
  ports: EnginePorts,
  flight: Flight,
  write: LedgerWrite,
  insistence: Insistence,
  act: (ledger: Ledger) => T | Promise<T>,
): T | Promise<T> {
  const ledger = ports.ledger as Ledger;
  const again = async (first: unknown): Promise<T> => {
    let error = first;
    for (let failures = 1; failures < insistence.tries && isUnavailable(error); failures += 1) {
      const { operationId, requestId, tool } = flight.plan;
      ports.events.emit('ledger.delayed', { operationId, requestId, tool, write, error });
      const signal = insistence.forCallers ? flight.stopSignal : ports.closed;
      if ((await sleep(ports.clock, backoffMs(WAITS, failures, ports.random), signal)) === 'aborted') break;
      try {
        return await act(ledger);
      } catch (next) {
        error = next;
      }
    }
    throw error;
  };
  try {
    const answer = act(ledger);
    return answer instanceof Promise ? answer.catch(again) : answer;
  } catch (error) {
    return again(error); // a ledger that throws and one that rejects are the same to us
  }
}

/** Whether a ledger error may go away. Anything that is not one of ours is taken for an outage of the store. */
export function isUnavailable(error: unknown): boolean {
  return !isMcpTxError(error) || error.code === 'LEDGER_UNAVAILABLE';
}
