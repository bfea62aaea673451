/** Answers `POST execute/:tool`: checks in an order that tells nothing to whoever may not know it, then makes the call. */
import type { McpTxResult } from '../outcome/call-result.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { CallOptions } from '../policy/settings.ts';
import { askHook, callerOf } from './access.ts';
import type { ExecuteResponse } from './api-types.ts';
import { bindScope } from './bind-scope.ts';
import { HttpError } from './http-error.ts';
import type { KernelRequest, KernelResponse } from './http-message.ts';
import { headerOf } from './http-message.ts';
import { parseIdempotencyKey } from './idempotency-header.ts';
import { jsonResponse } from './json-response.ts';
import type { KernelSettings, Principal } from './kernel-options.ts';
import { readArguments } from './request-body.ts';
import { preferencesOf, timeoutOf } from './request-deadline.ts';

/** Calls the tool. @throws HttpError, McpTxError */
export async function executeTool<Host>(
  settings: KernelSettings<Host>,
  request: KernelRequest<Host>,
  principal: Principal | undefined,
  tool: string,
): Promise<KernelResponse> {
  const { clock, limits, options, client } = settings;
  const startedAt = clock.monotonic();
  await checkAllowed(settings, request, principal, tool);
  const key = parseIdempotencyKey(headerOf(request.headers, 'idempotency-key'), options.idempotency);
  const asked = timeoutOf(request.headers, preferencesOf(request.headers), options.deadline ?? {});
  if (key === undefined && (await needsKey(settings, tool))) throw new HttpError('KEY_REQUIRED');
  const args = await readArguments(request, limits, clock);
  const timeoutMs = asked === undefined ? undefined : asked - (clock.monotonic() - startedAt);
  const scope = bindScope(client, { scope: principal?.scope, signal: request.signal, timeoutMs, clock });
  const call: CallOptions = { ifBusy: 'fail', ...(key === undefined ? {} : { idempotencyKey: key }) };
  return resultResponse(await scope.callTool(tool, args, call));
}

/** A tool that is not listed, one that this principal may not call, and one that does not exist are the same to a caller. */
async function checkAllowed<Host>(
  { isListed, options }: KernelSettings<Host>,
  request: KernelRequest<Host>,
  principal: Principal | undefined,
  tool: string,
): Promise<void> {
  const { authorize } = options;
  const mayCall = async (): Promise<boolean> =>
    isListed(tool) && (authorize === undefined || (await authorize(principal, tool, callerOf(request))) === true);
  if (!(await askHook('authorize', mayCall)))
    throw new McpTxError('TOOL_NOT_FOUND', 'the tool is not listed, or not for this principal');
}

async function needsKey<Host>({ options, client }: KernelSettings<Host>, tool: string): Promise<boolean> {
  const { required } = options.idempotency ?? {};
  if (required !== undefined)
    return askHook('idempotency.required', () => (typeof required === 'function' ? required(tool) : required));
  return !(await (await client()).isReadOnly(tool));
}

/** A result that came, or came again. */
function resultResponse({ result, meta }: McpTxResult): KernelResponse {
  const body: ExecuteResponse = { result, meta };
  return jsonResponse(200, body, {
    'mcp-tx-operation-id': meta.operationId,
    'mcp-tx-request-id': meta.requestId,
    'mcp-tx-attempts': String(meta.attempts),
    'mcp-tx-ack': String(meta.ack),
    ...(meta.duplicate ? { 'idempotent-replayed': 'true' } : {}),
  });
}
