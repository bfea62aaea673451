/** Answers `GET openapi.json`: the API as its caller may use it. */
import type { ToolDefinition } from '../connect/mcp-client.ts';
import type { KernelRequest, KernelResponse } from './http-message.ts';
import { jsonResponse } from './json-response.ts';
import type { KernelSettings, Principal } from './kernel-options.ts';
import { mayCall } from './may-call.ts';
import { openApiDocument } from './openapi.ts';

/** @throws McpTxError `CONNECTION_FAILED` when the server does not tell its tools */
export async function describeApi<Host>(
  settings: KernelSettings<Host>,
  request: KernelRequest<Host>,
  principal: Principal | undefined,
): Promise<KernelResponse> {
  const client = await settings.client();
  const { openapi } = settings.options;
  const info = typeof openapi === 'object' ? openapi : { title: client.name, version: '1' };
  const tools: ToolDefinition[] = [];
  for (const tool of await client.listTools()) {
    if (await mayCall(settings, request, principal, tool.name)) tools.push(tool);
  }
  return jsonResponse(200, openApiDocument(tools, info, request.mount ?? ''));
}
