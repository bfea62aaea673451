/** One server of a hub: its instance, and what is known of its tools. */
import type { ToolDefinition } from '../connect/mcp-client.ts';
import { toolSafety } from '../policy/tool-safety.ts';
import { McpTx } from '../session/mcp-tx.ts';
import type { McpTxOptions } from '../session/options.ts';
import type { ToolPins } from './tool-pins.ts';

/** See {@link Hub}. Nothing in it is shared with another member but the ledger. */
export class Member {
  readonly name: string;
  readonly tx: McpTx;
  readonly pins: ToolPins;
  readonly #options: McpTxOptions;

  constructor(name: string, options: McpTxOptions, pins: ToolPins) {
    this.name = name;
    this.pins = pins;
    this.#options = options;
    this.tx = new McpTx(options, {
      onListed: (tools) => this.#see(tools),
      objection: (tool) => pins.objection(tool),
    });
  }

  /** Whether the user, or a server that the user trusts, says that calling this tool twice does no harm. */
  async isKnownSafe(tool: string, timeoutMs: number): Promise<boolean> {
    if (this.#isSafe(tool)) return true;
    if (this.#options.trusted !== true || !this.pins.isEmpty) return false;
    await this.tx.listTools({ timeoutMs }).catch(() => undefined); // who cannot be asked has said nothing
    return this.#isSafe(tool);
  }

  #isSafe(tool: string): boolean {
    const { tools = {}, trusted = false, delivery = 'at-most-once' } = this.#options;
    const rule = Object.hasOwn(tools, tool) ? tools[tool] : undefined;
    const standing = { trusted, delivery, speaksMcpTx: false };
    return toolSafety(rule, this.pins.definition(tool)?.annotations, standing).safe;
  }

  #see(tools: readonly ToolDefinition[]): void {
    const changed = this.pins.see(tools);
    if (changed.length === 0) return;
    const message = `${this.name}: these tools are not what they were and are held back until accepted: ${changed.join(', ')}`;
    this.#options.logger?.warn({ server: this.name, event: 'tools.changed', tools: changed }, message);
  }
}
