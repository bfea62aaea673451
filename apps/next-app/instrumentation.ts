/** What Next runs when the server starts: both servers are started ahead of the first request, and the end is prepared. */

/** Called by Next, once. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const [{ drainOnSignals, warm }, { catalogue, payments }] = await Promise.all([
    import('@mcp-tx/next'),
    import('./lib/shop.ts'),
  ]);
  drainOnSignals();
  warm(payments);
  warm(catalogue);
}
