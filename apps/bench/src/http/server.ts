// One server of the HTTP bench, in a process of its own: `node server.ts bare|router|keyed|middleware`. Prints its port; answers `cpu` on stdin.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { createMcpTxRouter, mcpTx } from '@mcp-tx/express';
import type { Express } from 'express';
import express from 'express';
import { echoClient, instance } from '../subjects.ts';

const subjects: Readonly<Record<string, () => Promise<Express>>> = {
  bare: async () => {
    const client = await echoClient();
    return express().post('/execute/:tool', express.json(), async (req, res) => {
      const { arguments: args } = req.body as { arguments: Record<string, unknown> };
      res.json(await client.callTool({ name: req.params.tool as string, arguments: args }));
    });
  },
  router: async () => {
    const client = await instance({ tools: { echo: { readOnly: true } } });
    return express().use('/', createMcpTxRouter({ client, authenticate: 'single-tenant', tools: ['echo'] }));
  },
  middleware: async () => {
    const client = await instance({ tools: { echo: { readOnly: true } } });
    const app = express().use(mcpTx({ client, authenticate: 'single-tenant' }));
    return app.post('/execute/:tool', express.json(), async (req, res) => {
      const { arguments: args } = req.body as { arguments: Record<string, unknown> };
      const { result } = await req.mcpTx.callTool(req.params.tool as string, args);
      res.json(result);
    });
  },
};

const app = await (subjects[process.argv[2] ?? ''] as () => Promise<Express>)();
const server = app.listen(0, '127.0.0.1');
server.keepAliveTimeout = 0; // connections wait for their turn
await once(server, 'listening');
console.log((server.address() as AddressInfo).port);
for await (const _line of createInterface(process.stdin)) {
  const { user, system } = process.cpuUsage();
  console.log(user + system);
}
process.exit(0);
