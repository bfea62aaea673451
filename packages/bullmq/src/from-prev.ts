/** Hands a result on: arguments of a step that are read from the result of the step before, by JSON pointer. */
import { McpTxError } from '@mcp-tx/core';
import type { JobReply } from '@mcp-tx/core/job';
import { resultOf } from '@mcp-tx/core/job';

/** Stands for a value in the result of the step before. Plain JSON. */
export interface FromPrev {
  readonly $from: 'prev';
  readonly pointer: string;
}

/**
 * An argument that is read from the `structured` result of the step before when the step runs. `pointer` is a JSON pointer
 * (RFC 6901); `''` is the whole result.
 *
 * @throws McpTxError `CALL_INVALID` for what is no pointer
 */
export function fromPrev(pointer: string): FromPrev {
  if (!/^(\/([^~/]|~[01])*)*$/.test(pointer)) throw invalid(`${JSON.stringify(pointer)} is not a JSON pointer`);
  return { $from: 'prev', pointer };
}

/**
 * The arguments with everything filled in.
 *
 * @throws McpTxError `CALL_INVALID` when the step before said `isError` or its result has nothing there
 */
export function fillFromPrev(
  args: Readonly<Record<string, unknown>>,
  reply: JobReply | undefined,
): Readonly<Record<string, unknown>> {
  if (reply === undefined) return args;
  const { result } = resultOf(reply);
  if (result.isError === true) throw invalid('the step before ran and said isError', 'previous-step-failed');
  return fill(args, result.structured) as Record<string, unknown>;
}

function fill(value: unknown, source: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => fill(item, source));
  if (isFromPrev(value)) return read(source, value.pointer);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fill(member, source)]));
}

function isFromPrev(value: object): value is FromPrev {
  const { $from, pointer, ...others } = value as Partial<FromPrev>;
  return $from === 'prev' && typeof pointer === 'string' && Object.keys(others).length === 0;
}

function read(source: unknown, pointer: string): unknown {
  let value = source;
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return missing(pointer);
    value = (value as Record<string, unknown>)[name];
  }
  return value === undefined ? missing(pointer) : value;
}

function missing(pointer: string): never {
  const where = pointer === '' ? 'is not structured' : `has nothing at ${pointer}`;
  throw invalid(`the result of the step before ${where}`, 'previous-step-lacks');
}

function invalid(problem: string, reason?: string): McpTxError {
  return new McpTxError('CALL_INVALID', problem, reason === undefined ? {} : { reason });
}
