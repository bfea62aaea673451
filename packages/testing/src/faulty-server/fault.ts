/** Owns the vocabulary of faults: every way in which the scripted server can go wrong, as data. */

/** Whether the tool's effect had happened when the fault struck. */
export type When = 'before' | 'after';

/** Faults that both transports can show. */
export type CallFault =
  /** Let the call through; keeps a place in a list of steps. */
  | { readonly kind: 'none' }
  /** The request vanishes: no effect, no answer. */
  | { readonly kind: 'drop-request' }
  /** The tool runs, its answer vanishes. */
  | { readonly kind: 'drop-response' }
  /** Waits `ms` before or (default) after the effect; the answer is sent even if the client cancelled meanwhile. */
  | { readonly kind: 'delay'; readonly ms: number; readonly when?: When }
  /** The process dies before the effect: killed with SIGKILL, or with `how: 'exit'` by `process.exit(1)`. */
  | { readonly kind: 'exit-before'; readonly how?: 'kill' | 'exit' }
  /** The process dies after the effect and before the answer. */
  | { readonly kind: 'exit-after'; readonly how?: 'kill' | 'exit' }
  /** The same answer twice. */
  | { readonly kind: 'double-answer' }
  /** Bytes that are not JSON instead of the answer (default: after the effect). */
  | { readonly kind: 'garbage'; readonly when?: When }
  /** An answer to a request that nobody made. */
  | { readonly kind: 'wrong-id' }
  /** The tool runs and says that it failed. */
  | { readonly kind: 'is-error'; readonly text?: string }
  /** A JSON-RPC error instead of running the tool, or (`when: 'after'`) after it ran. */
  | {
      readonly kind: 'json-rpc-error';
      readonly code: number;
      readonly message?: string;
      readonly data?: unknown;
      readonly when?: When;
    }
  /** A result of `bytes` characters of text, 11 MB unless said: over the SDK's buffer for stdio. */
  | { readonly kind: 'huge-result'; readonly bytes?: number }
  /** The result `{}`. */
  | { readonly kind: 'no-content' }
  /** A result that only names a task to be polled. */
  | { readonly kind: 'task-result'; readonly taskId?: string }
  /** A result with that `resultType` and no content. */
  | { readonly kind: 'result-type'; readonly value: string }
  /** A result whose `content` is not an array. */
  | { readonly kind: 'invalid-content' };

/** Faults of a child process that talks over pipes. */
export type StdioFault =
  /** Half of the answer's line, then the process exits. */
  | { readonly kind: 'half-line' }
  /** The server closes its stdout and lives on (default: after the effect). */
  | { readonly kind: 'close-stdout'; readonly when?: When };

/** Faults of an HTTP server. */
export type HttpFault =
  /** That status instead of running the tool, or after it ran. `location` is for 3xx and names another origin unless said. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: string | number;
      readonly location?: string;
      readonly body?: unknown;
      readonly when?: When;
    }
  /** The session is forgotten: 404 as the SDK's server says it, until the client initialises again. No effect. */
  | { readonly kind: 'expire-session' }
  /** The connection is reset (RST) before or (default) after the effect. */
  | { readonly kind: 'reset'; readonly when?: When }
  /** The connection is closed (FIN) without one byte of a response, before or (default) after the effect. */
  | { readonly kind: 'close-before-headers'; readonly when?: When }
  /** A JSON response that ends before its Content-Length. */
  | { readonly kind: 'cut-json' }
  /** The response stream breaks off before or (default) after the effect. */
  | { readonly kind: 'cut-sse'; readonly when?: When }
  /** The response stream ends cleanly and never held a result. */
  | { readonly kind: 'end-sse'; readonly when?: When }
  /** The response stream names an event id, then breaks off; `resume: false` refuses the client that comes back. */
  | { readonly kind: 'cut-sse-resumable'; readonly resume?: boolean; readonly retryMs?: number }
  /** 202, as if the request were a notification (default: after the effect). */
  | { readonly kind: 'accepted-202'; readonly when?: When }
  /** 204 and nothing else (default: after the effect). */
  | { readonly kind: 'no-content-204'; readonly when?: When }
  /** 200 with a page of HTML (default: after the effect). */
  | { readonly kind: 'wrong-content-type'; readonly when?: When }
  /** 200 with a JSON body that does not parse, or (`body: 'not-json-rpc'`) is no JSON-RPC. */
  | { readonly kind: 'invalid-json-200'; readonly body?: 'syntax' | 'not-json-rpc' }
  /** An event whose data is not JSON, then the stream ends. */
  | { readonly kind: 'bad-frame' }
  /** Half a response head, then silence (default: after the effect). */
  | { readonly kind: 'stall-headers'; readonly when?: When };

/** Everything that can go wrong with one `tools/call`. */
export type Fault = CallFault | StdioFault | HttpFault;

/** The name of a fault. */
export type FaultKind = Fault['kind'];

/** Which transports know a fault, and whether the tool runs when it strikes. */
export interface FaultRule {
  readonly wires: 'both' | 'stdio' | 'http';
  /** `before` and `after` are fixed; with a `?` they are defaults that `when` may change. */
  readonly when: When | `${When}?`;
  /** Fields that have no default. */
  readonly needs?: readonly string[];
}

/** One rule per fault. */
export const FAULT_RULES: Readonly<Record<FaultKind, FaultRule>> = {
  none: { wires: 'both', when: 'after' },
  'drop-request': { wires: 'both', when: 'before' },
  'drop-response': { wires: 'both', when: 'after' },
  delay: { wires: 'both', when: 'after?', needs: ['ms'] },
  'exit-before': { wires: 'both', when: 'before' },
  'exit-after': { wires: 'both', when: 'after' },
  'double-answer': { wires: 'both', when: 'after' },
  garbage: { wires: 'both', when: 'after?' },
  'wrong-id': { wires: 'both', when: 'after' },
  'is-error': { wires: 'both', when: 'after' },
  'json-rpc-error': { wires: 'both', when: 'before?', needs: ['code'] },
  'huge-result': { wires: 'both', when: 'after' },
  'no-content': { wires: 'both', when: 'after' },
  'task-result': { wires: 'both', when: 'after' },
  'result-type': { wires: 'both', when: 'after', needs: ['value'] },
  'invalid-content': { wires: 'both', when: 'after' },
  'half-line': { wires: 'stdio', when: 'after' },
  'close-stdout': { wires: 'stdio', when: 'after?' },
  status: { wires: 'http', when: 'before?', needs: ['status'] },
  'expire-session': { wires: 'http', when: 'before' },
  reset: { wires: 'http', when: 'after?' },
  'close-before-headers': { wires: 'http', when: 'after?' },
  'cut-json': { wires: 'http', when: 'after' },
  'cut-sse': { wires: 'http', when: 'after?' },
  'end-sse': { wires: 'http', when: 'after?' },
  'cut-sse-resumable': { wires: 'http', when: 'after' },
  'accepted-202': { wires: 'http', when: 'after?' },
  'no-content-204': { wires: 'http', when: 'after?' },
  'wrong-content-type': { wires: 'http', when: 'after?' },
  'invalid-json-200': { wires: 'http', when: 'after' },
  'bad-frame': { wires: 'http', when: 'after' },
  'stall-headers': { wires: 'http', when: 'after?' },
};

/** Whether the tool's effect happens before the fault strikes (`after`) or not. */
export function effectTiming(fault: Fault): When {
  const rule = FAULT_RULES[fault.kind].when;
  if ('when' in fault && fault.when !== undefined) return fault.when;
  return rule.startsWith('before') ? 'before' : 'after';
}

/** Whether the call must go to the desk; a `json-rpc-error` always does, the desk knows when not to run the tool for it. */
export function reachesDesk(fault: Fault): boolean {
  return effectTiming(fault) === 'after' || fault.kind === 'delay' || fault.kind === 'json-rpc-error';
}

/** Milliseconds to wait at that moment; only `delay` has any. */
export function delayAt(fault: Fault, when: When): number {
  return fault.kind === 'delay' && effectTiming(fault) === when ? fault.ms : 0;
}
