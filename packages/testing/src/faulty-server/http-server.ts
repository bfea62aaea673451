/** Owns the faulty HTTP server's listening, its dispatch of requests to faults or to the SDK, and its end. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json as readJson } from 'node:stream/consumers';
import type { CallDesk } from './call-desk.ts';
import { openCallDesk } from './call-desk.ts';
import type { FaultRecorder } from './fault-log.ts';
import { createFaultRecorder } from './fault-log.ts';
import { injectOnHttp } from './http-faults.ts';
import { sendRpcError, sendText } from './http-replies.ts';
import { HttpSessions, idOf } from './http-sessions.ts';
import { ResumableStreams } from './resumable-streams.ts';
import { placeSteps } from './script.ts';
import type { ScriptCursor } from './script-cursor.ts';
import { createScriptCursor } from './script-cursor.ts';
import type { ServerOptions } from './server-options.ts';
import { toToolCall } from './tool-call.ts';

/** A listening faulty server, from the inside. */
export interface ListeningServer {
  readonly port: number;
  readonly desk: CallDesk;
  readonly recorder: FaultRecorder;
  readonly sessions: HttpSessions;
  close(): Promise<void>;
}

interface Parts {
  readonly options: ServerOptions;
  readonly desk: CallDesk;
  readonly recorder: FaultRecorder;
  readonly cursor: ScriptCursor;
  readonly sessions: HttpSessions;
  readonly resumable: ResumableStreams;
}

/** Starts the server on the loopback interface. */
export async function listenFaulty(options: ServerOptions & { readonly effectLog: string }): Promise<ListeningServer> {
  const steps = placeSteps(options.script ?? [], 'http');
  const desk = openCallDesk(options.effectLog, options.aware ?? false);
  const parts: Parts = {
    options,
    desk,
    recorder: createFaultRecorder(steps, options.faultsLog),
    cursor: createScriptCursor(steps, options.state),
    sessions: new HttpSessions(desk, options.json ?? false),
    resumable: new ResumableStreams(),
  };
  const server = createServer((request, response) => {
    dispatch(parts, request, response).catch((error: unknown) => {
      if (!desk.closing.aborted) response.destroy(error as Error);
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject));
  const { port } = server.address() as AddressInfo;
  if (options.mode === 'refuse') await shut(server);
  return { port, desk, recorder: parts.recorder, sessions: parts.sessions, close: () => closeAll(parts, server) };
}

async function dispatch(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { options, sessions, resumable } = parts;
  if (options.mode === 'silent') return;
  if (options.mode === 'not-mcp') {
    sendText(response, 200, 'text/html', '<!doctype html><title>It works!</title>');
    return;
  }
  if (resumable.wants(request)) {
    await resumable.resume(request, response);
    return;
  }
  const body = request.method === 'POST' ? await readJson(request).catch(() => undefined) : undefined;
  if (request.method === 'POST' && body === undefined) sendRpcError(response, 400, -32700, 'Parse error');
  else if (!(await meetsFault(parts, request, response, body))) await sessions.handle(request, response, body);
}

/** Counts a call that arrived in a known session, and injects the fault if a step strikes it. */
async function meetsFault(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
): Promise<boolean> {
  const { options, desk, recorder, cursor, sessions, resumable } = parts;
  const call = toToolCall(body);
  if (call === undefined || !sessions.knows(request)) return false;
  recorder.arrived(call);
  const strike = cursor.next(call.tool);
  if (strike === undefined || strike.step.fault.kind === 'none') return false;
  recorder.record(strike, call);
  const expireSession = (): void => sessions.forget(idOf(request));
  const json = options.json ?? false;
  await injectOnHttp(strike.step.fault, { call, request, response, desk, json, resumable, expireSession });
  return true;
}

async function closeAll({ desk, recorder, sessions }: Parts, server: Server): Promise<void> {
  if (desk.closing.aborted) return;
  desk.close();
  recorder.close();
  await sessions.close();
  await shut(server);
}

async function shut(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
