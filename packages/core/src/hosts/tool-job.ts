/** The envelope of a call that waits in a queue: how one is made, what it holds, and the check of one that comes from outside. */
import { McpTxError } from '../outcome/tx-error.ts';
import { argumentsLength, checkKey } from '../policy/identity.ts';
import type { Mutable } from '../runtime/mutable.ts';
import { systemRandom } from '../runtime/random.ts';
import { parseStrictJson, StrictJsonError } from './strict-json.ts';

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
  /** Trace context and the like; passed on under the request's `_meta`. At most 64 Ki characters of JSON. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** What a producer may say of a job beyond the call itself. */
export interface ToolJobOptions {
  /** The producer's name for the intent. Default: a fresh one, so that every job is an operation of its own. */
  readonly idempotencyKey?: string;
  readonly scope?: string;
  /** When it is too late to begin, epoch ms, or as a date. */
  readonly deadlineAt?: number | Date;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** How a message is read. */
export interface ReadJobOptions {
  /** Names the delivery where the queue gives messages a name of their own and a producer gave none. */
  readonly fallbackKey?: string;
  /** Longest message, bytes of text. Default 1.25 Mi. */
  readonly maxBytes?: number;
  /** Puts JSON of another form into that of the envelope, which is then checked as any other. Default: it has that form. */
  readonly envelopeOf?: (value: unknown) => unknown;
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

const MI = 1_024 * 1_024;
const MAX_DEPTH = 66; // what the engine takes, inside of an envelope
const ARGUMENT_LIMITS = { maxDepth: 64, maxLength: MI };
const META_LIMITS = { maxDepth: 8, maxLength: MI / 16 };

/**
 * Makes the envelope of a call, with a key of its own where the producer gives none.
 *
 * @throws McpTxError `CALL_INVALID`, naming the member; `KEY_INVALID`; `ARGUMENTS_INVALID` for what is not JSON or too large
 */
export function createToolJob(
  tool: string,
  args: Readonly<Record<string, unknown>> = {},
  options: ToolJobOptions = {},
): ToolJob {
  const { deadlineAt, idempotencyKey = `job_${systemRandom().id()}`, ...rest } = options;
  argumentsLength(args, ARGUMENT_LIMITS);
  const late = deadlineAt === undefined ? {} : { deadlineAt: Number(deadlineAt) };
  return parseToolJob({ v: JOB_VERSION, tool, arguments: args, idempotencyKey, ...rest, ...late });
}

/**
 * Reads a message that is text. Refuses JSON with two meanings, and what is too long before it is parsed.
 *
 * @throws McpTxError `CALL_INVALID`, naming the member; `KEY_INVALID`
 */
export function readToolJob(message: string | Uint8Array, options: ReadJobOptions = {}): ToolJob {
  const { fallbackKey, maxBytes = 1.25 * MI, envelopeOf = (value) => value } = options;
  const bytes = typeof message === 'string' ? Buffer.byteLength(message) : message.length;
  if (bytes > maxBytes) throw invalid(`it has ${bytes} bytes; at most ${maxBytes} are read`);
  return parseToolJob(envelopeOf(jsonOf(message)), fallbackKey);
}

/**
 * Checks an envelope. `fallbackKey` names the delivery where the queue gives messages a name of their own and a producer gave none;
 * `others` are members that are the queue's own.
 *
 * @throws McpTxError `CALL_INVALID`, naming the member; `KEY_INVALID`
 */
export function parseToolJob(value: unknown, fallbackKey?: string, others: readonly string[] = []): ToolJob {
  if (!isObject(value)) throw invalid('it is not an object');
  for (const name of Object.keys(value))
    if (!MEMBERS.has(name) && !others.includes(name)) throw invalid(`${name.slice(0, 40)} is not known`);
  const { v, tool, arguments: args = {}, idempotencyKey = fallbackKey, scope, deadlineAt, meta } = value;
  if (v !== JOB_VERSION) throw invalid(`v must be ${JOB_VERSION}`);
  if (typeof tool !== 'string' || tool === '' || tool.length > 1_024) throw invalid('tool must be a name');
  if (!isObject(args)) throw invalid('arguments must be an object');
  checkKey(idempotencyKey);
  if (scope !== undefined && (typeof scope !== 'string' || scope === '' || scope.length > 255))
    throw invalid('scope must be a name');
  if (deadlineAt !== undefined && !(typeof deadlineAt === 'number' && deadlineAt > 0))
    throw invalid('deadlineAt must be an instant in epoch ms');
  if (meta !== undefined) checkMeta(meta);
  const job: Mutable<ToolJob> = { v, tool, arguments: args, idempotencyKey };
  if (scope !== undefined) job.scope = scope;
  if (deadlineAt !== undefined) job.deadlineAt = deadlineAt;
  if (meta !== undefined) job.meta = meta;
  return job;
}

function checkMeta(meta: unknown): asserts meta is Fields {
  if (!isObject(meta)) throw invalid('meta must be an object');
  try {
    argumentsLength(meta, META_LIMITS);
  } catch {
    throw invalid(`meta must be JSON of at most ${META_LIMITS.maxLength} characters`);
  }
}

function jsonOf(message: string | Uint8Array): unknown {
  try {
    const text = typeof message === 'string' ? message : new TextDecoder('utf-8', { fatal: true }).decode(message);
    return parseStrictJson(text, MAX_DEPTH);
  } catch (error) {
    throw invalid(error instanceof StrictJsonError ? error.message : 'it is not UTF-8');
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(problem: string): McpTxError {
  return new McpTxError('CALL_INVALID', `the job cannot be used: ${problem}`);
}
