/** Decides how often a tool may run: from what the user says, what a trusted server hints, and what the server can do. */
import type { DeliveryMode } from '../outcome/call-result.ts';
import type { ToolRule } from './settings.ts';

/** MCP's `ToolAnnotations`. Untrusted by specification unless the server is. */
export interface ToolHints {
  readonly readOnlyHint?: boolean | undefined;
  readonly destructiveHint?: boolean | undefined;
  readonly idempotentHint?: boolean | undefined;
}

/** What is known of a tool's safety. */
export interface ToolSafety {
  /** The strongest promise that holds for it. */
  readonly mode: DeliveryMode;
  /** The user, or a trusted server, says that sending twice does no harm. */
  readonly safe: boolean;
  /** The user, or a trusted server, says that it changes nothing: there is no effect to be in doubt about. */
  readonly readOnly: boolean;
  /** Its own server, trusted or not, says that it only reads: enough to let a *caller* repeat it. */
  readonly hintedReadOnly: boolean;
  /** A trusted server's hints contradict each other, and nothing else says how often the tool may run: no mode can be derived. */
  readonly isContradictory: boolean;
  /** Nothing is known of the tool: the mode is the server's default. */
  readonly isByDefault: boolean;
}

/** What is known of the server. */
export interface ServerStanding {
  readonly trusted: boolean;
  readonly speaksMcpTx: boolean;
  /** Mode of tools about which nothing is known. */
  readonly delivery: DeliveryMode;
}

/** A tool's safety. Contradictory hints (`readOnlyHint` with `destructiveHint`) widen nothing; of a trusted server they forbid the call. */
export function toolSafety(
  rule: ToolRule | undefined,
  hints: ToolHints | undefined,
  server: ServerStanding,
): ToolSafety {
  const contradictory = hints?.readOnlyHint === true && hints.destructiveHint === true;
  const hintedReadOnly = hints?.readOnlyHint === true && !contradictory;
  const hintedSafe = hintedReadOnly || (hints?.idempotentHint === true && !contradictory);
  const declaredUnsafe = rule?.readOnly === false || rule?.idempotent === false;
  const readOnly = rule?.readOnly ?? (server.trusted && hintedReadOnly && !declaredUnsafe);
  const safe =
    rule?.readOnly === true || rule?.idempotent === true || (server.trusted && hintedSafe && !declaredUnsafe);
  const said = modeSaid(rule, server);
  const mode = said ?? (safe ? 'at-least-once' : server.delivery);
  const isContradictory = said === undefined && !safe && server.trusted && contradictory;
  return { mode, safe, readOnly, hintedReadOnly, isContradictory, isByDefault: said === undefined && !safe };
}

/** The mode, as far as it is said of this very tool or follows from what the server can do. */
function modeSaid(rule: ToolRule | undefined, server: ServerStanding): DeliveryMode | undefined {
  if (rule?.delivery !== undefined) return rule.delivery;
  if (canBeEffectivelyOnce(rule, server)) return 'effectively-once';
  if (rule?.readOnly === true || rule?.idempotent === true) return 'at-least-once';
  const declaredUnsafe = rule?.readOnly === false || rule?.idempotent === false;
  return declaredUnsafe ? 'at-most-once' : undefined; // a word on one tool is worth more than one on all
}

/** Whether `effectively-once` can be kept for this tool: somebody at the other end must recognise the operation id. */
export function canBeEffectivelyOnce(rule: ToolRule | undefined, server: ServerStanding): boolean {
  return server.speaksMcpTx || rule?.idempotencyArgument !== undefined;
}

const STRICTNESS: readonly DeliveryMode[] = ['at-least-once', 'effectively-once', 'at-most-once'];

/** The stricter of two modes: what a taken-over operation has to keep to. */
export function stricter(one: DeliveryMode, other: DeliveryMode): DeliveryMode {
  return STRICTNESS.indexOf(one) >= STRICTNESS.indexOf(other) ? one : other;
}
