// A server for the official conformance suite: `conformance-server.ts <v1|v2> <plain|wrapped>`. It has the fixtures that the suite asks for
// by name, as far as they concern tools. Says its port, and ends with its standard input.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { memoryLedger } from '@mcp-tx/core/ledger';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer as McpServerV2 } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { createServerTx } from '../../src/index.ts';

const [line, how] = process.argv.slice(2);
const tx = createServerTx({ ledger: memoryLedger(), scope: 'test' });
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const text = { type: 'text', text: 'This is a simple text response for testing.' };
const resource = {
  type: 'resource',
  resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' },
};
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' };
const RESULTS: Readonly<Record<string, object>> = {
  test_simple_text: { content: [text] },
  test_image_content: { content: [image] },
  test_audio_content: { content: [{ type: 'audio', data: 'UklGRiYAAABXQVZF', mimeType: 'audio/wav' }] },
  test_embedded_resource: { content: [resource] },
  test_multiple_content_types: { content: [text, image, resource] },
  test_error_handling: { content: [{ type: 'text', text: 'This tool intentionally returns an error' }], isError: true },
};

/** What both lines' servers have in common. */
interface Registers {
  registerTool(name: string, config: object, body: (...args: never[]) => unknown): unknown;
  registerResource(name: string, uri: string, config: object, read: () => object): unknown;
  registerPrompt(name: string, config: object, get: () => object): unknown;
}

function make(): object {
  const server =
    line === 'v1'
      ? new McpServer({ name: 'fixture', version: '1' })
      : new McpServerV2({ name: 'fixture', version: '1' });
  const to = server as unknown as Registers;
  for (const [name, result] of Object.entries(RESULTS))
    to.registerTool(name, { description: name }, async () => result);
  const schema = { a: z.number(), b: z.number() };
  const inputSchema = line === 'v1' ? schema : z.object(schema);
  to.registerTool('add_numbers', { description: 'adds', inputSchema }, async () => RESULTS.test_simple_text);
  const contents = [{ uri: 'test://static-text', mimeType: 'text/plain', text: 'static' }];
  to.registerResource('static-text', 'test://static-text', { mimeType: 'text/plain' }, () => ({ contents }));
  const messages = [{ role: 'user', content: { type: 'text', text: 'This is a simple prompt for testing.' } }];
  to.registerPrompt('test_simple_prompt', { description: 'a prompt' }, () => ({ messages }));
  return how === 'wrapped' ? tx.wrap(server) : server;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function answerWithSessions(): Answer {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  return async (request, response) => {
    const id = String(request.headers['mcp-session-id'] ?? '');
    let transport = sessions.get(id);
    if (transport === undefined && id !== '') return void response.writeHead(404).end();
    if (transport === undefined) {
      const fresh: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (session) => void sessions.set(session, fresh),
      });
      await (make() as McpServer).connect(fresh as never);
      transport = fresh;
    }
    await transport.handleRequest(request, response, request.method === 'POST' ? await json(request) : undefined);
  };
}

const answer: Answer =
  line === 'v1' ? answerWithSessions() : (toNodeHandler(createMcpHandler(() => make() as never)) as never);
const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.stdin.on('end', () => process.exit(0)).resume();
