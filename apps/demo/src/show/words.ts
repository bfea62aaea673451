/** Words that several parts of the demo say in the same way. */
import type { Side } from '../job.ts';

/** The two ways, by their names for people. */
export const SIDE_NAMES: Readonly<Record<Side, string>> = { raw: 'SDK + retry loop', mcpTx: 'MCP-Tx' };

/** How long something took. */
export function seconds(took: { readonly seconds: number }): string {
  return `${took.seconds.toFixed(1)} s`;
}
