/** Owns the proxy's record of what it really did, fsynced line by line, so that the proxy's own death loses nothing. */
import type { CallIdentity } from '../effect-log/call-identity.ts';
import { openJsonLines, readJsonLines } from '../effect-log/json-lines.ts';
import type { ProxyFaultKind } from './plan.ts';

/** One fault that the proxy really injected. */
export interface ProxyFault extends CallIdentity {
  /** `lost-in-kill`: the request came when the server had just been killed, and the client could not know yet. */
  readonly kind: ProxyFaultKind | 'lost-in-kill';
  /** Number of the call, counted over all starts of the proxy; 0 for `lost-in-kill`, which is not counted. */
  readonly call: number;
  /** Whether the real server had produced its answer to this call; if not, whether the tool ran is not known here. */
  readonly answered: boolean;
  /** Of a kill: the other calls that the server had been given and whose answers had not been passed on. They are lost with it. */
  readonly alsoLost: readonly CallIdentity[];
  /** Wall clock, epoch milliseconds. */
  readonly at: number;
  /** The proxy's process. */
  readonly pid: number;
}

/** Opens the log; `undefined` discards. Every record is on the disk before the call returns. */
export function openProxyLog(path: string | undefined): (fault: ProxyFault) => void {
  if (path === undefined) return () => undefined;
  const lines = openJsonLines<ProxyFault>(path);
  return (fault) => lines.append(fault);
}

/** Reads what proxies injected. A missing file holds nothing. */
export function readProxyFaults(path: string): readonly ProxyFault[] {
  return readJsonLines<ProxyFault>(path);
}
