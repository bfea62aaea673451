/** Owns how each fault looks over Streamable HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { toMessage } from './answer.ts';
import type { CallDesk } from './call-desk.ts';
import { die } from './die.ts';
import type { Fault, FaultKind } from './fault.ts';
import { delayAt, reachesDesk } from './fault.ts';
import {
  breakOff,
  eventOf,
  openStream,
  sendCutJson,
  sendHalfHead,
  sendJson,
  sendRpcError,
  sendText,
} from './http-replies.ts';
import type { ResumableStreams } from './resumable-streams.ts';
import type { ToolCall } from './tool-call.ts';

/** One request that a fault strikes, and what injecting it needs. */
export interface HttpExchange {
  readonly call: ToolCall;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly desk: CallDesk;
  /** The server answers with JSON bodies where it has the choice. */
  readonly json: boolean;
  readonly resumable: ResumableStreams;
  /** Forgets the session of the request. */
  readonly expireSession: () => void;
}

type Kind<K extends FaultKind> = Extract<Fault, { readonly kind: K }>;
type Reply<K extends FaultKind> = (exchange: HttpExchange, fault: Kind<K>, message: Message) => void;
type Message = Record<string, unknown>;

/** Faults of the event stream itself: the stream is open before the tool runs, also on a server that prefers JSON. */
const STREAM_FAULTS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'double-answer',
  'cut-sse',
  'end-sse',
  'cut-sse-resumable',
  'bad-frame',
]);

/** Faults in which a server with event streams answers late, wrongly or never, on a stream that is open already. */
const OPEN_ANSWER_FAULTS: ReadonlySet<FaultKind> = new Set<FaultKind>(['drop-response', 'delay', 'wrong-id']);

/** What the client gets to see; a fault that is not named here shows in the answer itself. */
const REPLIES: { readonly [K in FaultKind]?: Reply<K> } = {
  'drop-response': () => undefined,
  'exit-after': (_, { how }) => die(how),
  'double-answer': ({ response }, _, message) => response.end(eventOf(message) + eventOf(message)),
  garbage: ({ response }) => sendText(response, 200, 'application/json', '}} this body is not JSON {{'),
  status: ({ response }, fault) => sendStatus(response, fault),
  reset: ({ request }) => request.socket.resetAndDestroy(),
  'close-before-headers': ({ request }) => request.socket.destroy(),
  'cut-json': ({ response }, _, message) => sendCutJson(response, JSON.stringify(message)),
  'cut-sse': ({ response }) => breakOff(response),
  'end-sse': ({ response }) => response.end(),
  'cut-sse-resumable': ({ response }) => breakOff(response),
  'accepted-202': ({ response }) => response.writeHead(202).end(),
  'no-content-204': ({ response }) => response.writeHead(204).end(),
  'wrong-content-type': ({ response }) => sendText(response, 200, 'text/html', '<!doctype html><title>Welcome</title>'),
  'invalid-json-200': ({ response }, { body }) =>
    sendText(response, 200, 'application/json', body === 'not-json-rpc' ? '{"ok":true}' : '{"jsonrpc":"2.0","id":'),
  'bad-frame': ({ response }) => response.end('event: message\ndata: {"jsonrpc":"2.0","id":\n\n'),
  'stall-headers': ({ response }) => sendHalfHead(response),
};

/** Injects a fault into one exchange, in place of the SDK. A request that is not answered stays open. */
export async function injectOnHttp(fault: Fault, exchange: HttpExchange): Promise<void> {
  const { response, json, desk } = exchange;
  if (fault.kind === 'drop-request') return;
  if (fault.kind === 'exit-before') die(fault.how);
  if (fault.kind === 'expire-session') {
    exchange.expireSession();
    sendRpcError(response, 404, -32001, 'Session not found');
    return;
  }
  if (STREAM_FAULTS.has(fault.kind) || (!json && OPEN_ANSWER_FAULTS.has(fault.kind))) openStream(response);
  const keep = fault.kind === 'cut-sse-resumable' ? exchange.resumable.prime(response, fault) : undefined;
  await sleep(delayAt(fault, 'before'), undefined, { signal: desk.closing });
  const message = reachesDesk(fault) ? await answerOf(fault, exchange) : {};
  await sleep(delayAt(fault, 'after'), undefined, { signal: desk.closing });
  keep?.(message);
  const reply = REPLIES[fault.kind] as Reply<FaultKind> | undefined;
  if (reply === undefined) sendAnswer(exchange, message);
  else reply(exchange, fault as never, message);
}

async function answerOf(fault: Fault, { call, response, desk }: HttpExchange): Promise<Message> {
  const notify = (notification: Message): void => {
    const streaming = response.headersSent && !response.writableEnded;
    if (streaming) response.write(eventOf({ jsonrpc: '2.0', ...notification }));
  };
  const answer = await desk.answer(call, notify, fault);
  return toMessage(fault.kind === 'wrong-id' ? `nobody-asked-${call.id}` : call.id, answer);
}

function sendAnswer({ response, json }: HttpExchange, message: Message): void {
  if (json) {
    sendJson(response, 200, message);
    return;
  }
  if (!response.headersSent) openStream(response);
  response.end(eventOf(message));
}

function sendStatus(response: ServerResponse, fault: Kind<'status'>): void {
  const { status, retryAfter, location, body = { error: `injected ${status}` } } = fault;
  const redirects = status >= 300 && status < 400;
  sendJson(response, status, body, {
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    ...(redirects ? { Location: location ?? 'http://127.0.0.1:9/elsewhere' } : {}),
  });
}
