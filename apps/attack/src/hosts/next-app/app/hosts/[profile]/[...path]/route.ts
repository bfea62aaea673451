// The route under attack: what a user writes, but that the options come from the case.
import type { McpTxHandlers } from '@mcp-tx/next';
import { handlersOf } from '../../../../hosts.ts';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

interface Context {
  readonly params: Promise<{ readonly profile: string }>;
}

async function handle(request: Request, { params }: Context): Promise<Response> {
  const handlers = handlersOf((await params).profile);
  const method = handlers?.[request.method as keyof McpTxHandlers] ?? handlers?.GET; // Next gives HEAD to GET
  return method?.(request) ?? new Response('no such host', { status: 500 });
}

export { handle as DELETE, handle as GET, handle as PATCH, handle as POST, handle as PUT };
