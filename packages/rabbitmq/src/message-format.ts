/** The forms of messages: the envelope of jobs as it is, and that of the Python original. */
import type { CallMeta, McpTxResult } from '@mcp-tx/core';
import { McpTxError } from '@mcp-tx/core';
import type { JobReply, ToolJob } from '@mcp-tx/core/job';
import { readToolJob, resultOf } from '@mcp-tx/core/job';

/** `mcp-tx`: the envelope and reply of `@mcp-tx/core/job`. `python`: `tool_name`, `arguments`, `correlation_id`; `success`, `result`. */
export type FormatName = 'mcp-tx' | 'python';

/** How jobs and replies are written and read. Reading throws `McpTxError`. */
export interface MessageFormat {
  /** Every reply goes to `responses`, whatever the job says of it, and the job’s key is what it is recognised by. */
  readonly repliesToAll: boolean;
  writeJob(job: ToolJob): string;
  readJob(content: Uint8Array, fallbackKey: string | undefined): ToolJob;
  writeReply(reply: JobReply, correlationId: string): string;
  readReply(content: Uint8Array): McpTxResult;
}

type Fields = Readonly<Record<string, unknown>>;

const ours: MessageFormat = {
  repliesToAll: false,
  writeJob: (job) => JSON.stringify(job),
  readJob: (content, fallbackKey) => readToolJob(content, fallbackKey === undefined ? {} : { fallbackKey }),
  writeReply: (reply) => JSON.stringify(reply),
  readReply: (content) => resultOf(parse(content)),
};

const python: MessageFormat = {
  repliesToAll: true,
  writeJob({ tool, arguments: args, idempotencyKey, deadlineAt, scope, meta, v: _ }) {
    const timestamp = new Date().toISOString();
    const call = { tool_name: tool, arguments: args, correlation_id: idempotencyKey, timestamp };
    return JSON.stringify({ ...call, deadline_at: deadlineAt, scope, meta });
  },
  readJob: (content) => readToolJob(content, { envelopeOf }),
  writeReply(reply, correlationId) {
    if (reply.ok) {
      const { requestId, attempts, duplicate, operationId } = reply.meta;
      const metadata = { request_id: requestId, attempts, duplicate, operation_id: operationId, mcp_tx: reply.meta };
      return JSON.stringify({ correlation_id: correlationId, success: true, result: reply.result, metadata });
    }
    const { message: error, operationId, ...problem } = reply.problem;
    return JSON.stringify({
      correlation_id: correlationId,
      success: false,
      error,
      ...problem,
      operation_id: operationId,
    });
  },
  readReply(content) {
    const { success, result, metadata, error, operation_id: operationId, ...problem } = parse(content);
    if (success === true) return resultOf({ v: 1, ok: true, result, meta: metaOf(metadata) });
    if (success !== false || typeof error !== 'string') throw noReply();
    return resultOf({ v: 1, ok: false, problem: { ...DOUBT, ...problem, message: error, operationId } });
  },
};

/** All forms. */
export const FORMATS: Readonly<Record<FormatName, MessageFormat>> = { 'mcp-tx': ours, python };

/** What the original says of a failure does not tell whether the tool ran. */
const DOUBT = { code: 'IN_DOUBT', execution: 'unknown', retryable: false, attempts: 0 } as const;

const PYTHON_MEMBERS: readonly string[] = [
  ...['tool_name', 'arguments', 'correlation_id', 'timestamp', 'deadline_at', 'scope', 'meta'],
];

/** The envelope in which the same call would have come. What the original does not know stays away. */
function envelopeOf(value: unknown): unknown {
  const { tool_name: tool, arguments: args, correlation_id: idempotencyKey, ...rest } = fieldsOf(value);
  const unknown = Object.keys(rest).find((name) => !PYTHON_MEMBERS.includes(name));
  if (unknown !== undefined) throw new McpTxError('CALL_INVALID', `the job cannot be used: ${unknown.slice(0, 40)}`);
  const { deadline_at: deadlineAt, scope, meta } = rest;
  return { v: 1, tool, arguments: args, idempotencyKey, ...known({ deadlineAt, scope, meta }) };
}

/** Our own workers say everything. Of the original is known what it always does: it sends again until it has an answer. */
function metaOf(metadata: unknown): Omit<CallMeta, 'durationMs'> {
  const { mcp_tx: whole, request_id: requestId, attempts } = fieldsOf(metadata);
  if (typeof whole === 'object' && whole !== null) return whole as CallMeta;
  return {
    ...{ ack: true, processed: true, duplicate: false, execution: 'done', recorded: false, fingerprinted: false },
    ...{ guarantee: 'at-least-once', dedupeScope: 'process', durability: 'none', operationId: '' },
    attempts: typeof attempts === 'number' ? attempts : 1,
    requestId: String(requestId ?? ''),
  };
}

function known(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function parse(content: Uint8Array): Fields {
  try {
    return fieldsOf(JSON.parse(Buffer.from(content).toString()));
  } catch {
    throw noReply();
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function noReply(): McpTxError {
  return new McpTxError('CALL_INVALID', 'this is not the reply of a job');
}
