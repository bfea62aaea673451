/** Puts an operation's end into the words of the public API: a result, or the one error with everything that is known. */
import type { CallMeta, Guarantee, McpTxResult } from '../outcome/call-result.ts';
import { toToolResult } from '../outcome/call-result.ts';
import type { InDoubtReason, StoredError } from '../outcome/outcome.ts';
import type { Execution } from '../outcome/tx-error.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { CallPlan } from '../policy/call-plan.ts';
import type { Mutable } from '../runtime/mutable.ts';
import { executionOfEnd } from './end-operation.ts';
import type { FlightEnd } from './flight-end.ts';
import { RECORD_UNKNOWN } from './flight-end.ts';
import type { EnginePorts } from './ports.ts';

/** What one caller gets. */
export interface Answer {
  readonly end: FlightEnd;
  /** The caller joined an operation that was under way. */
  readonly joined: boolean;
}

/** The result for this caller. @throws McpTxError when there is none */
export function answerCaller(ports: EnginePorts, plan: CallPlan, answer: Answer, startedAt: number): McpTxResult {
  const { end } = answer;
  const meta = metaOf(ports, plan, answer, startedAt);
  if (end.kind === 'ended' && end.outcome.state === 'completed' && end.outcome.unusable === undefined) {
    const plain: object = end.object ?? (JSON.parse(end.outcome.result) as object);
    return { result: toToolResult(plain), meta };
  }
  throw errorOf(plan, answer, meta);
}

function errorOf(plan: CallPlan, { end }: Answer, meta: CallMeta): McpTxError {
  const base = { operationId: plan.operationId, meta, execution: meta.execution };
  if (end.kind === 'refused') return new McpTxError(end.code, end.message, { ...base, ...end.details });
  if (end.kind === 'detached') return detachedError(plan, end, base);
  const { outcome } = end;
  if (outcome.state === 'in_doubt') return doubtError(plan, outcome.reason, base);
  const stored = outcome.state === 'failed' ? outcome.error : (outcome.unusable as StoredError);
  return new McpTxError(stored.code, stored.message, { ...base, ...serverErrorOf(stored) });
}

/** Details that every error of a call carries. */
interface ErrorBase {
  readonly operationId: string;
  readonly meta: CallMeta;
  readonly execution: Execution;
}

function detachedError(
  plan: CallPlan,
  { reason, mayHaveRun, othersUnknown }: Extract<FlightEnd, { kind: 'detached' }>,
  base: ErrorBase,
): McpTxError {
  const why =
    reason === 'timeout'
      ? `within ${plan.timeoutMs} ms`
      : reason === 'aborted'
        ? 'before the caller aborted'
        : 'before shutdown';
  if (!mayHaveRun) {
    const code = reason === 'aborted' ? 'ABORTED' : reason === 'timeout' ? 'DEADLINE_EXCEEDED' : 'CLOSED';
    if (!othersUnknown) return new McpTxError(code, `nothing was executed ${why}`, { ...base, retryable: true });
    const says = `this call did nothing ${why}, and the ledger has not said whether ${plan.operationId} ran before; repeat with the same key`;
    return new McpTxError(code, says, { ...base, ...RECORD_UNKNOWN });
  }
  const details = { ...base, reason };
  if (plan.readOnly)
    return new McpTxError(
      'DEADLINE_EXCEEDED',
      `${plan.tool} was not answered ${why}; it is read-only, so repeat it`,
      details,
    );
  return new McpTxError(
    'IN_DOUBT',
    `${plan.tool} was sent and not answered ${why}: it may have run. ${whatToDo(plan)}`,
    details,
  );
}

const DOUBTS: Readonly<Record<InDoubtReason, string>> = {
  timeout: 'no answer came',
  'connection-lost': 'the connection was lost before the answer came',
  'server-error': 'the server answered with an error that does not say whether it ran',
  aborted: 'the caller had it cancelled',
  'owner-lost': 'the process that sent it is gone',
  'remote-task': 'the server goes on with it as a task',
  'input-required': 'the server asked for input',
  'server-in-doubt': 'the server does not know either',
  shutdown: 'this process closed before the answer came',
};

function doubtError(plan: CallPlan, reason: InDoubtReason, base: ErrorBase): McpTxError {
  return new McpTxError('IN_DOUBT', `${plan.tool} was sent and may have run: ${DOUBTS[reason]}. ${whatToDo(plan)}`, {
    ...base,
    reason,
  });
}

function whatToDo(plan: CallPlan): string {
  return `Do not repeat it blindly; look whether it happened, then resolve ${plan.operationId}.`;
}

function serverErrorOf(stored: StoredError): object {
  if (stored.serverCode === undefined && stored.serverStatus === undefined) return {};
  return {
    serverError: {
      message: stored.message,
      ...(stored.serverCode === undefined ? {} : { code: stored.serverCode }),
      ...(stored.serverStatus === undefined ? {} : { status: stored.serverStatus }),
      ...(stored.serverData === undefined ? {} : { data: stored.serverData }),
    },
  };
}

function metaOf(ports: EnginePorts, plan: CallPlan, { end, joined }: Answer, startedAt: number): CallMeta {
  const ended = end.kind === 'ended' ? end : undefined;
  const processed = ended?.outcome.state === 'completed';
  const refusedByServer = ended?.outcome.state === 'failed' && ended.resolvedBy === undefined;
  const { ledger } = ports;
  const meta: Mutable<CallMeta> = {
    ack: processed || refusedByServer,
    processed,
    duplicate: joined || ended?.duplicate === true,
    attempts: end.attempts,
    requestId: plan.requestId,
    operationId: plan.operationId,
    guarantee: guaranteeOf(end) ?? plan.mode,
    dedupeScope: plan.idempotencyKey === undefined ? 'call' : ledger?.shared === true ? 'store' : 'process',
    durability: ledger?.durability ?? 'none',
    execution: executionOfEnd(end),
    recorded: ended?.recorded === true,
    fingerprinted: plan.fingerprint !== undefined,
    durationMs: ports.clock.monotonic() - startedAt,
  };
  if (ended?.resolvedBy !== undefined) meta.resolvedBy = ended.resolvedBy;
  if (plan.isByServerDefault && meta.guarantee === plan.mode) meta.guaranteeBy = 'server-default';
  return meta;
}

/** The server's word on one operation is worth more than the mode it was called in. */
function guaranteeOf(end: FlightEnd): Guarantee | undefined {
  if (end.kind !== 'ended') return undefined;
  return end.outcome.state === 'completed' && end.outcome.exactlyOnce === true ? 'exactly-once' : end.mode;
}
