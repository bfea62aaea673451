/** Runs a user's probe with everything it needs, within bounds, so that nothing it does can hurt a call. */

import type { EventHub } from '../engine/call-events.ts';
import type { ToolResult } from '../outcome/call-result.ts';
import type { CallOptions, Probe, ProbeOperation, ProbeVerdict } from '../policy/settings.ts';
import type { Clock } from '../runtime/clock.ts';

/** Longest time that a probe may take, ms. */
const PROBE_TIMEOUT_MS = 10_000;
const UNKNOWN: ProbeVerdict = { verdict: 'unknown' };

/** What probes work with. */
export interface ProbeKit {
  readonly clock: Clock;
  readonly events: EventHub;
  /** Calls a tool of the server as a read. */
  readonly read: (
    tool: string,
    args: Readonly<Record<string, unknown>> | undefined,
    options: CallOptions,
  ) => Promise<{ readonly result: ToolResult }>;
}

/** The probe's verdict; `unknown` when it throws, takes too long, or answers nonsense. */
export async function runProbe(
  probe: Probe | undefined,
  operation: ProbeOperation,
  kit: ProbeKit,
): Promise<ProbeVerdict> {
  if (probe === undefined) return UNKNOWN;
  const controller = new AbortController();
  const timer = kit.clock.timer(PROBE_TIMEOUT_MS, () => controller.abort(new Error('the probe took too long')));
  const { signal } = controller;
  const gaveUp = new Promise<ProbeVerdict>((resolve) =>
    signal.addEventListener('abort', () => resolve(UNKNOWN), { once: true }),
  );
  const callTool = async (tool: string, args?: Readonly<Record<string, unknown>>): Promise<ToolResult> =>
    (await kit.read(tool, args, { scope: operation.scope, delivery: 'at-least-once', onAbort: 'cancel', signal }))
      .result;
  try {
    const verdict = await Promise.race([Promise.resolve(probe(operation, { callTool, signal })), gaveUp]);
    return isVerdict(verdict) ? verdict : UNKNOWN;
  } catch (error) {
    kit.events.emit('hook.failed', { hook: `probe of ${operation.tool}`, error });
    return UNKNOWN;
  } finally {
    timer.cancel();
  }
}

function isVerdict(value: unknown): value is ProbeVerdict {
  if (typeof value !== 'object' || value === null || !('verdict' in value)) return false;
  if (value.verdict === 'completed') return 'result' in value && isJsonObject(value.result);
  return value.verdict === 'absent' || value.verdict === 'unknown';
}

function isJsonObject(value: unknown): boolean {
  try {
    return typeof value === 'object' && JSON.stringify(value)?.startsWith('{') === true;
  } catch {
    return false;
  }
}
