// Opens and closes hosts, for whoever runs the cases.
import { closeHost, openHost } from '../../hosts.ts';

export const dynamic = 'force-dynamic';

export async function POST(request: Request): Promise<Response> {
  const { open, close } = (await request.json()) as { readonly open?: string; readonly close?: string };
  try {
    if (open !== undefined) openHost(open);
    if (close !== undefined) await closeHost(close);
    return new Response();
  } catch (error) {
    return new Response(String(error), { status: 500 });
  }
}
