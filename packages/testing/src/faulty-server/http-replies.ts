/** Owns the bytes of HTTP responses, right and wrong, below anything that knows why. */
import type { ServerResponse } from 'node:http';

/** Starts an event stream and sends its head. */
export function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' });
  response.flushHeaders();
}

/** One event whose data is that JSON-RPC message. */
export function eventOf(message: unknown, id?: string): string {
  return `event: message\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`;
}

/** A whole response with a JSON body. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  sendText(response, status, 'application/json', JSON.stringify(body), headers);
}

/** A whole response. */
export function sendText(response: ServerResponse, status: number, type: string, body: string, headers = {}): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...headers }).end(body);
}

/** An error outside any request, as the SDK's server words it. */
export function sendRpcError(response: ServerResponse, status: number, code: number, message: string): void {
  sendJson(response, status, { jsonrpc: '2.0', error: { code, message }, id: null });
}

/** A response that promises more bytes than it sends, and then the connection is gone. */
export function sendCutJson(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) + 1 });
  response.write(body, () => response.destroy());
}

/** Half a response head; the rest never comes. */
export function sendHalfHead(response: ServerResponse): void {
  response.socket?.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Le');
}

/** Breaks the connection off after everything written so far has left. */
export function breakOff(response: ServerResponse): void {
  response.write(':\n\n', () => response.destroy());
}
