/** Asks how a task stands that a server goes on with: SDK v1's experimental client for MCP 2025-11-25; no other line has one. */
import type { McpClientLike, RequestOptionsLike } from './mcp-client.ts';
import type { TaskStatus } from './server-source.ts';

/** The part of SDK v1's `client.experimental.tasks` that is used here. */
interface TasksLike {
  getTask(taskId: string, options?: RequestOptionsLike): Promise<{ readonly status: string }>;
  getTaskResult(taskId: string, schema?: undefined, options?: RequestOptionsLike): Promise<object>;
}

/** How the task stands; `working` as well when nobody can tell. */
export async function taskStatusOn(
  client: McpClientLike,
  taskId: string,
  options: RequestOptionsLike,
): Promise<TaskStatus> {
  const tasks = (client as { readonly experimental?: { readonly tasks?: TasksLike } }).experimental?.tasks;
  if (tasks === undefined) return { state: 'working' };
  const { status } = await tasks.getTask(taskId, options);
  if (status === 'completed')
    return { state: 'completed', result: await tasks.getTaskResult(taskId, undefined, options) };
  return { state: status === 'failed' || status === 'cancelled' ? 'gone' : 'working' };
}
