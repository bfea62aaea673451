/** The catalogue: files, read through another MCP server. */
import { InjectMcpTxService, type McpTxService } from '@mcp-tx/nest';
import { Controller, Get, Header, Param } from '@nestjs/common';

@Controller('catalogue')
export class CatalogueController {
  constructor(@InjectMcpTxService('catalogue') private readonly catalogue: McpTxService) {}

  @Get()
  @Header('content-type', 'text/plain; charset=utf-8')
  async list(): Promise<string> {
    return textOf(await this.catalogue.callTool('list_directory', { path: '.' }));
  }

  /** The server itself refuses what lies outside of its folder. */
  @Get(':file')
  @Header('content-type', 'text/plain; charset=utf-8')
  async read(@Param('file') path: string): Promise<string> {
    return textOf(await this.catalogue.callTool('read_text_file', { path }));
  }
}

function textOf({ result }: { readonly result: { readonly content?: unknown } }): string {
  const [first] = (result.content ?? []) as readonly { readonly text?: string }[];
  return `${first?.text ?? ''}\n`;
}
