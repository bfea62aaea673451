/** The catalogue: files that another MCP server reads. */
import { join } from 'node:path';
import type { McpTx, ToolResult } from '@mcp-tx/core';
import { mcpTx } from '@mcp-tx/express';
import { Router } from 'express';
import { CATALOGUE_FOLDER } from 'shop';

/** `GET /` and `GET /:file`. */
export function catalogueRoutes(catalogue: McpTx): Router {
  const routes = Router().use(mcpTx({ client: catalogue, authenticate: 'single-tenant' }));
  routes.get('/', async (req, res) => {
    const { result } = await req.mcpTx.callTool('list_directory', { path: CATALOGUE_FOLDER });
    res.type('text').send(textOf(result));
  });
  routes.get('/:file', async (req, res) => {
    const path = join(CATALOGUE_FOLDER, req.params.file); // the server refuses what lies outside of its folder
    const { result } = await req.mcpTx.callTool('read_text_file', { path });
    res
      .status(result.isError === true ? 404 : 200)
      .type('text')
      .send(textOf(result));
  });
  return routes;
}

function textOf({ content = [] }: ToolResult): string {
  return content.map(({ text = '' }) => text).join('\n');
}
