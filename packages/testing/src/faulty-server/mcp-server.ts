/** Owns the healthy half of the faulty server: the official SDK's server, which answers everything that no fault strikes. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { AWARE_CAPABILITIES } from './aware-desk.ts';
import type { CallDesk } from './call-desk.ts';
import { toToolCall } from './tool-call.ts';
import { TOOL_DEFINITIONS } from './tool-definitions.ts';

/** Makes an SDK server over a desk; one server per connection, many may share the desk. */
export function createMcpServer(desk: CallDesk): Server {
  const capabilities = { tools: {}, ...(desk.aware ? AWARE_CAPABILITIES : {}) };
  const server = new Server({ name: 'faulty-server', version: '1.0.0' }, { capabilities });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...TOOL_DEFINITIONS] }));
  server.setRequestHandler(CallToolRequestSchema, async (request, extra) => {
    const call = toToolCall({ ...request, id: extra.requestId });
    if (call === undefined) throw new Error('not a tools/call request');
    const answer = await desk.answer(call, (notification) => extra.sendNotification(notification as never));
    // Not an McpError: that class writes its code into the message.
    if ('error' in answer) throw Object.assign(new Error(answer.error.message), answer.error);
    return answer.result;
  });
  return server;
}
