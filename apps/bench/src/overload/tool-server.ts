// The server under load: a tool that takes 20 ms and runs eight times at once. Whatever else comes waits, without a bound, as in most servers.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { SERVICE_MS, SLOTS } from './scene.ts';

const waiting: (() => void)[] = [];
let busy = 0;

async function work(): Promise<void> {
  if (busy < SLOTS) busy += 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  await new Promise((resolve) => setTimeout(resolve, SERVICE_MS));
  const next = waiting.shift();
  if (next === undefined) busy -= 1;
  else next();
}

process.stdout.on('error', () => process.exit(0)); // the client is gone
const server = new McpServer({ name: 'slots', version: '1.0.0' });
server.registerTool('work', {}, async () => {
  await work();
  return { content: [{ type: 'text', text: 'done' }] };
});
await server.connect(new StdioServerTransport());
