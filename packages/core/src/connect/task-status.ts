/** Asks how a task stands that a server goes on with, by tasks/get and tasks/result of MCP 2025-11-25, over a client of either SDK. */
import { member } from '../protocol/tx-meta.ts';
import type { McpClientLike, RequestOptionsLike } from './mcp-client.ts';
import type { TaskStatus } from './server-source.ts';

/** The part of both SDKs' clients that is used here: `request`, with a schema of the SDK's own kind for the answer. */
type Request = (
  request: { readonly method: string; readonly params: object },
  schema: object,
  options: RequestOptionsLike,
) => Promise<unknown>;

/** Takes every answer: a zod schema to SDK v1, a Standard Schema to SDK v2. */
export const ANYTHING: object = {
  safeParse: (data: unknown) => ({ success: true, data }),
  '~standard': { version: 1, vendor: 'mcp-tx', validate: (value: unknown) => ({ value }) },
};

const INVALID_PARAMS = -32_602;
/** What SDK v1 throws by itself: the connection was closed, no answer came in time. */
const OF_SDK_V1: ReadonlySet<unknown> = new Set([-32_000, -32_001]);

/** How the task stands. @throws whatever the SDK throws when the server does not answer */
export async function taskStatusOn(
  client: McpClientLike,
  taskId: string,
  options: RequestOptionsLike,
): Promise<TaskStatus> {
  const { request } = client as { readonly request?: Request };
  if (typeof request !== 'function') return { state: 'unknown' };
  const ask = (method: string): Promise<unknown> =>
    request.call(client, { method, params: { taskId } }, ANYTHING, options);
  const task = await orIf(ask('tasks/get'), (code) => code === INVALID_PARAMS);
  const status = member(task, 'status');
  if (task === 'refused' || status === 'cancelled') return { state: 'gone' };
  if (status !== 'completed' && status !== 'failed') return { state: 'working' };
  const refused = (code: unknown): boolean => status === 'failed' && typeof code === 'number' && !OF_SDK_V1.has(code);
  const result = await orIf(ask('tasks/result'), refused); // of a failed task it is a result with isError, or an error
  return typeof result === 'object' && result !== null ? { state: 'completed', result } : { state: 'gone' };
}

/** The answer; `refused` for an error whose code `isRefusal` knows. */
async function orIf(answer: Promise<unknown>, isRefusal: (code: unknown) => boolean): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (isRefusal(member(error, 'code'))) return 'refused';
    throw error;
  }
}
