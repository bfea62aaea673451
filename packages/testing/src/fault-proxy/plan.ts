/** Owns the decision which call meets which fault: a pure function of plan and call number, so a seed replays a run. */
import { createHash } from 'node:crypto';

/** What the proxy can do to a `tools/call`. */
const PROXY_FAULTS = [
  /** The server never sees the request. */
  'drop-request',
  /** The client never sees the answer. */
  'drop-response',
  /** The answer comes `delayMs` late. */
  'delay-response',
  /** The server is killed instead of being given the request. */
  'kill-before',
  /** The server is killed `killAfterMs` after it was given the request, whether it has answered or not. */
  'kill-during',
  /** The server is killed when its answer is there, and the answer is lost with it. */
  'kill-after',
  /** The server is given the same request twice. */
  'duplicate-request',
] as const;

/** The name of a fault of the proxy. */
export type ProxyFaultKind = (typeof PROXY_FAULTS)[number];

/** When the proxy injects what. Calls are numbered from 1, and the number goes on when the proxy is started anew. */
export interface FaultPlan {
  readonly seed: number;
  /** Probability of each fault per call; their sum is at most 1. */
  readonly rates?: Readonly<Partial<Record<ProxyFaultKind, number>>>;
  /** Numbers of calls that meet a fault whatever the dice say. */
  readonly at?: Readonly<Partial<Record<ProxyFaultKind, readonly number[]>>>;
  /** Only calls of these tools count and meet faults. */
  readonly tools?: readonly string[];
  /** No fault is injected more often than this. */
  readonly maxPerKind?: number;
  /** The first calls meet no random fault. */
  readonly skipFirst?: number;
  /** Delay of `delay-response`, drawn between the two numbers; 50 to 500 ms unless said. */
  readonly delayMs?: readonly [number, number];
  /** Delay of `kill-during`, drawn between the two numbers; 0 to 20 ms unless said. */
  readonly killAfterMs?: readonly [number, number];
}

/** What happens to one call. */
export interface Decision {
  readonly kind: ProxyFaultKind;
  /** How long `delay-response` or `kill-during` waits. */
  readonly waitMs: number;
}

/**
 * Checks a plan.
 *
 * @throws TypeError that says what is wrong.
 */
export function checkPlan(plan: FaultPlan): FaultPlan {
  if (!Number.isSafeInteger(plan.seed)) throw new TypeError('a plan needs a whole number as its seed');
  const known: readonly string[] = PROXY_FAULTS;
  const named = [...Object.keys(plan.rates ?? {}), ...Object.keys(plan.at ?? {})];
  const unknown = named.find((kind) => !known.includes(kind));
  if (unknown !== undefined) throw new TypeError(`there is no fault ${unknown}; there are ${known.join(', ')}`);
  const rates = Object.values(plan.rates ?? {});
  const sum = rates.reduce((total, rate) => total + rate, 0);
  if (rates.some((rate) => !(rate >= 0)) || sum > 1 + 1e-9)
    throw new TypeError('rates are between 0 and 1 and sum up to at most 1');
  return plan;
}

/** Whether calls of that tool count. */
export function concerns(plan: FaultPlan, tool: string): boolean {
  return plan.tools === undefined || plan.tools.includes(tool);
}

/**
 * Decides about a call.
 *
 * @param injected - how many faults of each kind there were already.
 */
export function decide(
  plan: FaultPlan,
  call: number,
  injected: Readonly<Partial<Record<ProxyFaultKind, number>>>,
): Decision | undefined {
  const kind = PROXY_FAULTS.find((fault) => plan.at?.[fault]?.includes(call)) ?? drawKind(plan, call);
  if (kind === undefined || (injected[kind] ?? 0) >= (plan.maxPerKind ?? Number.POSITIVE_INFINITY)) return undefined;
  const range = kind === 'delay-response' ? (plan.delayMs ?? [50, 500]) : (plan.killAfterMs ?? [0, 20]);
  return { kind, waitMs: Math.round(range[0] + draw(plan.seed, call, 'wait') * (range[1] - range[0])) };
}

function drawKind(plan: FaultPlan, call: number): ProxyFaultKind | undefined {
  if (call <= (plan.skipFirst ?? 0)) return undefined;
  const dice = draw(plan.seed, call, 'kind');
  let upTo = 0;
  return PROXY_FAULTS.find((kind) => {
    upTo += plan.rates?.[kind] ?? 0;
    return dice < upTo;
  });
}

/** A number in [0, 1) that depends on nothing but its arguments. */
function draw(seed: number, call: number, purpose: string): number {
  const digest = createHash('sha256').update(`${seed}/${call}/${purpose}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}
