/** Answers how an operation stands, without running anything: for clients that have given up and want to know. */
import type { OperationRecord } from '@mcp-tx/core/ledger';
import { checkKey, identify, isMcpTxError } from '@mcp-tx/core/ledger';
import type { Refusal } from './answer.ts';
import { errorOf, silentError } from './answer.ts';
import { callerOf } from './caller.ts';
import { member } from './member.ts';
import type { Settings } from './options.ts';
import type { RequestHandler } from './run-tool.ts';
import { endOfRecord } from './stored-end.ts';

/**
 * How an operation stands. `unknown`: no record, so no request of it has run here, unless the record has expired.
 * `in-doubt` is also said of one whose server stopped while it ran.
 */
type Standing = 'unknown' | 'in-progress' | 'in-doubt' | 'completed' | 'not-executed';

/** Handles the method. */
export function statusHandler(settings: Settings): RequestHandler {
  return async (request, context) => {
    const operationId = member(member(request, 'params'), 'operationId');
    const scope = await callerOf(settings, context);
    if (scope === undefined)
      throw refused({ reason: 'forbidden', says: 'this server cannot tell who asks' }, operationId);
    const record = await find(settings, recordId(settings, scope, operationId));
    const standing = standingOf(record, settings.clock.now());
    return {
      operationId,
      ...standing,
      ...(standing.state === 'unknown' ? { rememberedMs: rememberedMs(settings) } : {}),
    };
  };
}

function recordId({ name }: Settings, scope: string, operationId: unknown): string {
  try {
    checkKey(operationId);
    return identify(scope, name, operationId).operationId;
  } catch (error) {
    if (isMcpTxError(error)) throw refused({ reason: 'invalid', says: error.message }, operationId);
    throw error;
  }
}

async function find({ ledger, onError }: Settings, id: string): Promise<OperationRecord | undefined> {
  try {
    return await ledger.find(id);
  } catch (error) {
    onError(error);
    throw silentError('the server could not reach its record of operations', error);
  }
}

/** How far the store's memory goes back without a gap, so that the client knows whether "no record" proves anything. */
function rememberedMs({ ledger, clock, startedAt, retentionMs }: Settings): number {
  const ageMs = clock.now() - (ledger.createdAt ?? startedAt);
  return Math.max(0, Math.min(retentionMs, ageMs));
}

interface Status {
  readonly state: Standing;
  readonly result?: object;
  readonly storedAt?: number;
  readonly exactlyOnce?: boolean;
  readonly taskId?: string;
}

function standingOf(record: OperationRecord | undefined, now: number): Status {
  if (record === undefined) return { state: 'unknown' };
  switch (record.state) {
    case 'claimed': // a transactional tool at work, or nothing
      return { state: record.leaseUntil > now ? 'in-progress' : 'unknown' };
    case 'sent':
      return { state: record.leaseUntil > now ? 'in-progress' : 'in-doubt' };
    case 'in_doubt':
      return { state: 'in-doubt', ...(record.outcome?.state === 'in_doubt' ? taskOf(record.outcome) : {}) };
    case 'failed':
      return { state: 'not-executed' };
    case 'completed': {
      const end = endOfRecord(record);
      if (end.kind !== 'result') return { state: 'completed' };
      const { text, storedAt } = end;
      return {
        state: 'completed',
        result: JSON.parse(text) as object,
        ...(storedAt === undefined ? {} : { storedAt }),
        ...(end.exactlyOnce === true ? { exactlyOnce: true } : {}),
      };
    }
  }
}

function taskOf({ taskId }: { readonly taskId?: string }): { readonly taskId?: string } {
  return taskId === undefined ? {} : { taskId };
}

function refused(refusal: Refusal, operationId: unknown): Error {
  return errorOf(refusal, typeof operationId === 'string' ? { operationId } : {});
}
