/** Owns what the tests of this package want of an SDK client: short calls, errors as values, and what came in beside answers. */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { RELIABILITY_ID } from '../../src/faulty-server/tool-call.ts';

/** The facts of an error, for comparison. */
interface ErrorShape {
  readonly type: string;
  readonly code: unknown;
  readonly message: string;
  readonly cause?: unknown;
}

interface CallOptions {
  readonly timeoutMs?: number;
  readonly reliability?: Record<string, unknown>;
}

export interface Session {
  readonly client: Client;
  /** Errors that reached the client outside any call. */
  readonly stray: Error[];
  /** Calls a tool; throws what the SDK throws. */
  call(tool: string, args?: Record<string, unknown>, options?: CallOptions): Promise<Record<string, unknown>>;
  /** Calls a tool that must fail, and returns how. */
  fail(tool: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ErrorShape>;
}

/** Short, because most calls of these tests never get an answer. */
export const TIMEOUT_MS = 300;

/** Long, for calls that do get one, however busy the machine is. */
export const PATIENCE_MS = 60_000;

export function toSession(client: Client): Session {
  const stray: Error[] = [];
  client.onerror = (error) => stray.push(error);
  const call: Session['call'] = async (name, args = {}, { timeoutMs = PATIENCE_MS, reliability } = {}) => {
    const _meta = reliability === undefined ? {} : { _meta: { [RELIABILITY_ID]: reliability } };
    return await client.callTool({ name, arguments: args, ..._meta }, undefined, { timeout: timeoutMs });
  };
  return {
    client,
    stray,
    call,
    async fail(tool, args, options) {
      const failure = await call(tool, args, options).then(
        (result) =>
          Promise.reject(new Error(`${tool} did not fail but answered ${JSON.stringify(result).slice(0, 200)}`)),
        (error: unknown) => error as Error & { code?: unknown; cause?: { code?: unknown } },
      );
      const { code, message, cause } = failure;
      return { type: failure.constructor.name, code, message, ...(cause === undefined ? {} : { cause: cause.code }) };
    },
  };
}

/** The JSON inside the first text block of a result. */
export function payload(result: Record<string, unknown>): Record<string, unknown> {
  const [block] = result.content as { text: string }[];
  return JSON.parse(block?.text ?? 'null') as Record<string, unknown>;
}
