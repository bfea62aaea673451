/** Asks about an operation in doubt, the server about its task and its record and then the user's probe, and writes down what is found. */
import type { OperationStatus } from '../connect/operation-status.ts';
import type { ServerConnection, TaskStatus } from '../connect/server-source.ts';
import type { EventHub } from '../engine/call-events.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { OperationRecord, Resolution } from '../ledger/record.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { ProbeOperation, ProbeVerdict } from '../policy/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import { askServer, canAskServer, findOutWhetherServerCanBeAsked } from './ask-server.ts';
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

/** Whether anybody can be asked about this operation. */
export function canBeProbed(kit: ProbeRecordKit, record: OperationRecord): boolean {
  return taskIdOf(record) !== undefined || kit.hasProbe(record.tool) || canAskServer(kit);
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
  if (!canBeProbed(kit, record) && !(await findOutWhetherServerCanBeAsked(kit))) {
    const message = `there is no probe in the rule of ${record.tool}, and the server cannot be asked`;
    throw new McpTxError('CONFIG_INVALID', message, { operationId });
  }
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
  const { verdict, resolution } = await findOut(kit, record, isTooLate);
  if (resolution === undefined) return { verdict, record };
  const answer = await kit.ledger.resolve(operationId, resolution);
  if (answer.kind === 'not_found') return { verdict, record };
  kit.firstSeen.delete(operationId);
  if (answer.kind === 'resolved')
    kit.events.emit('operation.resolved', { operationId, by: resolution.by, outcome: resolution.outcome.state });
  return { verdict, record: answer.record };
}

/** What was found, and the end that follows from it. */
interface Finding {
  readonly verdict: ProbeVerdict['verdict'];
  readonly resolution?: Resolution | undefined;
}

async function findOut(kit: ProbeRecordKit, record: OperationRecord, isTooLate: boolean): Promise<Finding> {
  const taskId = taskIdOf(record);
  const task = taskId === undefined ? undefined : await askTask(kit, taskId);
  if (task?.state === 'completed') return ofProbe({ verdict: 'completed', result: task.result }, isTooLate);
  const status = await askServer(kit, record);
  if (task?.state === 'working' || status.state === 'in-progress') kit.working.add(record.operationId);
  else kit.working.delete(record.operationId);
  const word = ofServer(status, isTooLate);
  if (word?.resolution !== undefined || !kit.hasProbe(record.tool)) return word ?? { verdict: 'unknown' };
  const found = await kit.probe(describe(record));
  const mayGoOn = status.state === 'in-progress' || (task !== undefined && task.state !== 'gone');
  // What has not happened by now may happen yet.
  return found.verdict === 'absent' && mayGoOn ? { verdict: 'unknown' } : ofProbe(found, isTooLate);
}

/** The server's own word; `undefined` when it says nothing that helps. */
function ofServer(status: OperationStatus, isTooLate: boolean): Finding | undefined {
  switch (status.state) {
    case 'completed': {
      const { state, result, exactlyOnce } = status;
      const outcome = { state, result: JSON.stringify(result), ...(exactlyOnce === true ? { exactlyOnce } : {}) };
      return { verdict: 'completed', resolution: { outcome, by: 'server', reason: 'the server has the result' } };
    }
    case 'not-executed': // a promise for later requests, too
      return { verdict: 'absent', resolution: notExecuted('server', 'the server knows that it never ran') };
    case 'absent':
      if (!isTooLate) return { verdict: 'absent' };
      return { verdict: 'absent', resolution: notExecuted('server', 'the server has no record of it') };
    default:
      return undefined;
  }
}

function notExecuted(by: string, reason: string): Resolution {
  return { outcome: { state: 'failed', error: { code: 'NOT_EXECUTED', message: reason } }, by, reason };
}

async function askTask({ clock, connection }: ProbeRecordKit, taskId: string): Promise<TaskStatus> {
  const ask = async (signal: AbortSignal): Promise<TaskStatus> =>
    (await connection.taskStatus?.(taskId, signal)) ?? { state: 'unknown' };
  return withinTime(clock, TASK_TIMEOUT_MS, ask).catch(() => ({ state: 'unknown' }));
}

/** `absent` counts only once the send can no longer take effect. */
function ofProbe(found: ProbeVerdict, isTooLate: boolean): Finding {
  const { verdict } = found;
  if (found.verdict === 'completed') {
    const outcome = { state: 'completed', result: JSON.stringify(found.result) } as const;
    return { verdict, resolution: { outcome, by: 'probe', reason: 'the probe found that it happened' } };
  }
  if (verdict === 'unknown' || !isTooLate) return { verdict };
  return { verdict, resolution: notExecuted('probe', 'a probe found that it did not happen') };
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
