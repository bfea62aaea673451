/** Asks about an operation in doubt, the server about its own task and then the user's probe, and writes down what is found. */
import type { ServerConnection, TaskStatus } from '../connect/server-source.ts';
import type { EventHub } from '../engine/call-events.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { OperationRecord, Resolution } from '../ledger/record.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { ProbeOperation, ProbeVerdict } from '../policy/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import { withinTime } from './within-time.ts';

/** What is needed to ask. */
export interface ProbeRecordKit {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly events: EventHub;
  readonly serverName: string;
  readonly connection: ServerConnection;
  /** When this process first saw an operation in doubt, by `monotonic()`. */
  readonly firstSeen: Map<string, number>;
  /** Operations of which the server said, when it was asked last, that it is still at work on them. */
  readonly working: Set<string>;
  readonly hasProbe: (tool: string) => boolean;
  /** Runs the user's probe; never throws. */
  readonly probe: (operation: ProbeOperation) => Promise<ProbeVerdict>;
}

/** What was found of one operation. */
export interface ProbeReport {
  /** `absent` ends doubt only once the send can no longer take effect; the record says whether it did. */
  readonly verdict: ProbeVerdict['verdict'];
  /** The record afterwards. */
  readonly record: OperationRecord;
}

const TASK_TIMEOUT_MS = 10_000;
const UNKNOWN: ProbeVerdict = { verdict: 'unknown' };

/** Whether anybody can be asked about this operation. */
export function canBeProbed(kit: ProbeRecordKit, record: OperationRecord): boolean {
  return taskIdOf(record) !== undefined || kit.hasProbe(record.tool);
}

/** Asks about one operation by its id. @throws McpTxError `OPERATION_NOT_FOUND`, `CALL_INVALID`, `CONFIG_INVALID` */
export async function probeOperation(kit: ProbeRecordKit, operationId: string): Promise<ProbeReport> {
  const record = await kit.ledger.find(operationId);
  if (record === undefined)
    throw new McpTxError('OPERATION_NOT_FOUND', `there is no operation ${operationId}`, { operationId });
  if (record.state !== 'in_doubt')
    throw new McpTxError('CALL_INVALID', `${operationId} is ${record.state}, not in doubt`, { operationId });
  if (record.serverName !== kit.serverName) {
    const message = `${operationId} belongs to the server ${record.serverName}; ask its own instance`;
    throw new McpTxError('CALL_INVALID', message, { operationId });
  }
  if (!canBeProbed(kit, record))
    throw new McpTxError('CONFIG_INVALID', `there is no probe in the rule of ${record.tool}`, { operationId });
  return probeRecord(kit, record);
}

/** Asks about one operation in doubt that can be probed. */
export async function probeRecord(kit: ProbeRecordKit, record: OperationRecord): Promise<ProbeReport> {
  const { operationId } = record;
  const firstSeenAt = kit.firstSeen.get(operationId) ?? kit.clock.monotonic();
  kit.firstSeen.set(operationId, firstSeenAt);
  // Told by our own clock since we first saw it: another machine's clock, or the store's, may be ahead of ours. And told before
  // the probe looks, for its answer may come long after its look.
  const isTooLate = kit.clock.monotonic() > firstSeenAt + record.settleWindowMs;
  const found = await findOut(kit, record);
  const resolution = resolutionOf(found, isTooLate);
  if (resolution === undefined) return { verdict: found.verdict, record };
  const answer = await kit.ledger.resolve(operationId, resolution);
  if (answer.kind === 'not_found') return { verdict: found.verdict, record };
  kit.firstSeen.delete(operationId);
  if (answer.kind === 'resolved')
    kit.events.emit('operation.resolved', { operationId, by: resolution.by, outcome: resolution.outcome.state });
  return { verdict: found.verdict, record: answer.record };
}

async function findOut(kit: ProbeRecordKit, record: OperationRecord): Promise<ProbeVerdict> {
  const taskId = taskIdOf(record);
  const task = taskId === undefined ? undefined : await askTask(kit, taskId);
  if (task?.state === 'working') kit.working.add(record.operationId);
  else kit.working.delete(record.operationId);
  if (task?.state === 'completed') return { verdict: 'completed', result: task.result };
  if (!kit.hasProbe(record.tool)) return UNKNOWN;
  const found = await kit.probe(describe(record));
  const mayGoOn = task !== undefined && task.state !== 'gone';
  return found.verdict === 'absent' && mayGoOn ? UNKNOWN : found; // what has not happened by now may happen yet
}

async function askTask({ clock, connection }: ProbeRecordKit, taskId: string): Promise<TaskStatus> {
  const ask = async (signal: AbortSignal): Promise<TaskStatus> =>
    (await connection.taskStatus?.(taskId, signal)) ?? { state: 'unknown' };
  return withinTime(clock, TASK_TIMEOUT_MS, ask).catch(() => ({ state: 'unknown' }));
}

/** `absent` counts only once the send can no longer take effect. */
function resolutionOf(found: ProbeVerdict, isTooLate: boolean): Resolution | undefined {
  if (found.verdict === 'completed') {
    const outcome = { state: 'completed', result: JSON.stringify(found.result) } as const;
    return { outcome, by: 'probe', reason: 'the probe found that it happened' };
  }
  if (found.verdict === 'unknown' || !isTooLate) return undefined;
  const error = { code: 'NOT_EXECUTED', message: 'a probe found that it did not happen' } as const;
  return { outcome: { state: 'failed', error }, by: 'probe', reason: 'the probe found that it did not happen' };
}

function taskIdOf({ outcome }: OperationRecord): string | undefined {
  return outcome?.state === 'in_doubt' ? outcome.taskId : undefined;
}

/** What a probe is told of a record. */
function describe(record: OperationRecord): ProbeOperation {
  return {
    operationId: record.operationId,
    tool: record.tool,
    scope: record.scope,
    attempts: record.attempts,
    ...(record.idempotencyKey === undefined ? {} : { idempotencyKey: record.idempotencyKey }),
    ...(record.sentAt === undefined ? {} : { sentAt: record.sentAt }),
    ...(record.arguments === undefined ? {} : { arguments: JSON.parse(record.arguments) as Record<string, unknown> }),
  };
}
