/** The page where tools are run. */
import type { ReactElement } from 'react';
import type { ShopServer } from 'shop';
import { CallList } from '../components/call-list.tsx';
import { ToolDesk } from '../components/tool-desk.tsx';
import { servers } from '../lib/shop.ts';
import type { ToolForm } from '../lib/tool-form.ts';
import { toolForms } from '../lib/tool-form.ts';

export const dynamic = 'force-dynamic';

export default async function Page(): Promise<ReactElement> {
  const found = await Promise.all([formsOf('payments'), formsOf('catalogue')]);
  const missing = found.flatMap(({ server, forms }) => (forms.length === 0 ? [server] : []));
  return (
    <>
      {missing.length > 0 && (
        <p role="alert" className="alert">
          No answer from {missing.join(' and ')}. Load the page again in a moment.
        </p>
      )}
      <div className="columns">
        <ToolDesk forms={found.flatMap(({ forms }) => forms)} />
        <CallList />
      </div>
    </>
  );
}

/** None when the server does not answer: the page still stands. */
async function formsOf(
  server: ShopServer,
): Promise<{ readonly server: ShopServer; readonly forms: readonly ToolForm[] }> {
  try {
    const tx = await servers[server]();
    return { server, forms: toolForms(server, await tx.listTools({ timeoutMs: 5_000 })) };
  } catch {
    return { server, forms: [] };
  }
}
