/** The envelope of a call that waits in a queue: what it holds, and the check of one that comes from outside. */
import { McpTxError } from '../outcome/tx-error.ts';
import { checkKey } from '../policy/identity.ts';

/** Version of the envelope. */
export const JOB_VERSION = 1;

/** A call that waits in a queue. Plain JSON. */
export interface ToolJob {
  readonly v: typeof JOB_VERSION;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Minted where the job is put into the queue, so that every delivery of it is the same operation. */
  readonly idempotencyKey: string;
  /** Tenant or principal, as whoever put the job there says. A host decides whether it believes that. */
  readonly scope?: string;
  /** When it is too late to begin, epoch ms. */
  readonly deadlineAt?: number;
  /** Trace context and the like; passed on under the request's `_meta`. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

type Fields = Readonly<Record<string, unknown>>;

const MEMBERS: ReadonlySet<string> = new Set([
  'v',
  'tool',
  'arguments',
  'idempotencyKey',
  'scope',
  'deadlineAt',
  'meta',
]);

/**
 * Checks an envelope. `fallbackKey` names the delivery where the queue gives messages a name of their own and a producer gave none.
 *
 * @throws McpTxError `CALL_INVALID`, naming the member; `KEY_INVALID`
 */
export function parseToolJob(value: unknown, fallbackKey?: string): ToolJob {
  if (!isObject(value)) throw invalid('it is not an object');
  const unknown = Object.keys(value).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw invalid(`${unknown.slice(0, 40)} is not known`);
  const { v, tool, arguments: args = {}, idempotencyKey = fallbackKey, scope, deadlineAt, meta } = value;
  if (v !== JOB_VERSION) throw invalid(`v must be ${JOB_VERSION}`);
  if (typeof tool !== 'string' || tool === '' || tool.length > 1_024) throw invalid('tool must be a name');
  if (!isObject(args)) throw invalid('arguments must be an object');
  checkKey(idempotencyKey);
  if (scope !== undefined && (typeof scope !== 'string' || scope === '' || scope.length > 255))
    throw invalid('scope must be a name');
  if (deadlineAt !== undefined && !(typeof deadlineAt === 'number' && deadlineAt > 0))
    throw invalid('deadlineAt must be an instant in epoch ms');
  if (meta !== undefined && !isObject(meta)) throw invalid('meta must be an object');
  return {
    v,
    tool,
    arguments: args,
    idempotencyKey,
    ...(scope === undefined ? {} : { scope }),
    ...(deadlineAt === undefined ? {} : { deadlineAt }),
    ...(meta === undefined ? {} : { meta }),
  };
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(problem: string): McpTxError {
  return new McpTxError('CALL_INVALID', `the job cannot be used: ${problem}`);
}
