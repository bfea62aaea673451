/** Runs work that somebody else may have made to hang, for so long at most. */
import { createContext, Script } from 'node:vm';

const slot = createContext({});
const script = new Script('work()');

/**
 * What `work` returns or throws; it must not await. Whatever it does is cut off, loops and regular expressions alike. A thread keeps
 * the time, which costs some 150 microseconds.
 *
 * @throws Error `ERR_SCRIPT_EXECUTION_TIMEOUT` after `limitMs` of wall time
 */
export function runBounded<T>(limitMs: number, work: () => T): T {
  slot['work'] = work;
  try {
    return script.runInContext(slot, { timeout: limitMs }) as T;
  } finally {
    slot['work'] = undefined;
  }
}
