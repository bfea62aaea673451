/** Answers `POST execute/:tool`: checks in an order that tells nothing to whoever may not know it, then makes the call. */
import type { McpTxResult } from '../outcome/call-result.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { CallOptions, Progress } from '../policy/settings.ts';
import { askHook } from './access.ts';
import type { ExecuteResponse } from './api-types.ts';
import { bindScope } from './bind-scope.ts';
import { eventStream } from './event-stream.ts';
import { HttpError } from './http-error.ts';
import type { KernelRequest, KernelResponse } from './http-message.ts';
import { headerOf } from './http-message.ts';
import { parseIdempotencyKey } from './idempotency-header.ts';
import { jsonResponse } from './json-response.ts';
import type { KernelSettings, Principal } from './kernel-options.ts';
import { mayCall } from './may-call.ts';
import { readArguments } from './request-body.ts';
import type { Preferences } from './request-deadline.ts';
import { preferencesOf, timeoutOf } from './request-deadline.ts';
import { accept } from './respond-async.ts';

/** What the kernel keeps for a call that its answer does not wait for. */
export interface Desk {
  /** Turns what was thrown into an answer, and tells whoever listens. */
  readonly answerTo: (error: unknown) => KernelResponse;
  /** The call counts as under way until this has settled. */
  readonly track: (call: Promise<unknown>) => void;
}

/** A call that passed all checks. */
interface Call {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly key: string | undefined;
  /** The deadline that the client asks for, or the host has for those who do not, ms. */
  readonly asked: number | undefined;
  /** What is left of that, and of the host's own time, ms. */
  readonly maxMs: number | undefined;
  readonly preferences: Preferences;
  readonly principal: Principal | undefined;
}

/** Calls the tool. @throws HttpError, McpTxError */
export async function executeTool<Host>(
  settings: KernelSettings<Host>,
  request: KernelRequest<Host>,
  principal: Principal | undefined,
  tool: string,
  desk: Desk,
): Promise<KernelResponse> {
  const { clock, limits, options } = settings;
  const startedAt = clock.monotonic();
  const may = mayCall(settings, request, principal, tool);
  if (!(typeof may === 'boolean' ? may : await may))
    throw new McpTxError('TOOL_NOT_FOUND', 'the tool is not listed, or not for this principal');
  const key = parseIdempotencyKey(headerOf(request.headers, 'idempotency-key'), options.idempotency);
  const preferences = preferencesOf(request.headers);
  const asked = timeoutOf(request.headers, preferences, options.deadline ?? {});
  const needs = key === undefined && needsKey(settings, tool);
  if (typeof needs === 'boolean' ? needs : await needs) throw new HttpError('KEY_REQUIRED');
  const args = await readArguments(request, limits, settings);
  const spentMs = clock.monotonic() - startedAt;
  const maxMs = shortest(asked, request.maxMs, spentMs);
  const call: Call = { tool, args, key, asked, maxMs, preferences, principal };
  if (preferences.respondAsync) return executeAsync(settings, request, call, desk);
  if (!wantsEvents(headerOf(request.headers, 'accept'))) return resultResponse(await perform(settings, request, call));
  return eventStream(clock, (onProgress) => {
    const answering = perform(settings, request, call, { onProgress }).then(resultResponse, desk.answerTo);
    desk.track(answering);
    return answering;
  });
}

/** The shorter of two times, less what is gone already. */
function shortest(one: number | undefined, other: number | undefined, spentMs: number): number | undefined {
  if (one === undefined && other === undefined) return undefined;
  return Math.min(one ?? Number.POSITIVE_INFINITY, other ?? Number.POSITIVE_INFINITY) - spentMs;
}

function perform<Host>(
  { client, clock }: KernelSettings<Host>,
  request: KernelRequest<Host>,
  { tool, args, key, asked, maxMs, principal }: Call,
  more: { readonly onProgress?: (progress: Progress) => void; readonly storeArguments?: boolean } = {},
): Promise<McpTxResult> {
  const signal = key === undefined ? request.signal : undefined;
  const scope = bindScope(client, { scope: principal?.scope, signal, timeoutMs: maxMs, clock });
  const options: CallOptions = {
    ifBusy: 'fail',
    ...(key === undefined ? {} : { idempotencyKey: key }),
    ...(asked === undefined ? {} : { timeoutMs: asked }),
    ...more,
  };
  return scope.callTool(tool, args, options);
}

/** 202 as soon as the call can no longer be lost; its own answer when that comes first. */
async function executeAsync<Host>(
  settings: KernelSettings<Host>,
  request: KernelRequest<Host>,
  call: Call,
  desk: Desk,
): Promise<KernelResponse> {
  const { clock, random } = settings;
  const client = await settings.client();
  const key = call.key ?? `async:${random.id()}`; // the operation needs a name that can be asked for
  const result = perform(settings, request, { ...call, key }, { storeArguments: true });
  const scopeName = call.principal?.scope ?? client.scope;
  const scope = bindScope(client, { scope: scopeName, clock });
  const { tool, args, preferences } = call;
  const waitMs = preferences.waitMs ?? 0;
  const begun = { client, scope, scopeName, key, tool, args, result, waitMs, mount: request.mount };
  const answer = await accept(begun, clock);
  if (answer === undefined) return resultResponse(await result);
  desk.track(result.catch(desk.answerTo));
  return answer;
}

function needsKey<Host>({ options, client }: KernelSettings<Host>, tool: string): boolean | Promise<boolean> {
  const { required } = options.idempotency ?? {};
  if (typeof required === 'boolean') return required;
  if (required !== undefined) return askHook('idempotency.required', () => required(tool));
  const made = client();
  const readOnly = made instanceof Promise ? made.then((tx) => tx.isReadOnly(tool)) : made.isReadOnly(tool);
  return typeof readOnly === 'boolean' ? !readOnly : readOnly.then((is) => !is);
}

/** Whether a stream of events is asked for by name; `*` does not mean it. */
function wantsEvents(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  return accept.split(',').some((range) => /^text\/event-stream\s*(?:;(?!\s*q=0(?:\.0*)?\s*$)|$)/i.test(range.trim()));
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
