/** Says whether a tool is declared to change nothing: by the user's rule, or by the hint of a server that the user trusts. */
import type { ToolRule } from '../policy/settings.ts';
import { toolSafety } from '../policy/tool-safety.ts';
import type { ToolCatalog } from './tool-catalog.ts';

/** Asks the server for its list of tools only where its word counts and has not been heard; else answers at once. @throws McpTxError `CONNECTION_FAILED` */
export function declaredReadOnly(
  tool: string,
  rule: ToolRule | undefined,
  trusted: boolean,
  catalog: ToolCatalog,
  load: () => Promise<unknown>,
): boolean | Promise<boolean> {
  if (rule?.readOnly !== undefined || !trusted) return rule?.readOnly ?? false;
  const hinted = (): boolean =>
    toolSafety(rule, catalog.hints(tool), { trusted, speaksMcpTx: false, delivery: 'at-most-once' }).readOnly;
  return catalog.isReady(tool) ? hinted() : load().then(hinted);
}
