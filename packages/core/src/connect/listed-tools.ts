/** Remembers what a server says of its tools that matters to whoever exchanges frames with it, as SDK v1's client would. */
import type { ThrownFacts } from '../policy/observation.ts';
import { member } from '../protocol/tx-meta.ts';
import type { ToolDefinition } from './mcp-client.ts';
import { shapeFlaw } from './result-shape.ts';
import type { SchemaCheck } from './schema-check.ts';
import { compileSchema } from './schema-check.ts';

interface Listed {
  readonly definition: ToolDefinition;
  check: SchemaCheck | undefined;
  isCompiled: boolean;
}

/** JSON-RPC "invalid request": what SDK v1 says of a call that it will not make. */
const INVALID_REQUEST = -32_600;

/** The tools of the latest list. Nothing is known of one that was never listed. */
export class ListedTools {
  #tools: ReadonlyMap<string, Listed> = new Map();

  /** Takes the place of whatever was known. */
  learn(tools: readonly ToolDefinition[]): void {
    this.#tools = new Map(
      tools.map((definition) => [definition.name, { definition, check: undefined, isCompiled: false }]),
    );
  }

  /** Why a plain call of this tool is not to be sent, if so. */
  refusal(tool: string): ThrownFacts | undefined {
    if (this.#tools.get(tool)?.definition.execution?.taskSupport !== 'required') return undefined;
    return { name: 'Error', code: INVALID_REQUEST, message: `${tool} runs as a task only, and this call makes none` };
  }

  /** What makes a result of this tool unusable, if anything. */
  flawOf(tool: string, result: object): string | undefined {
    const flaw = shapeFlaw(result);
    const listed = this.#tools.get(tool);
    if (flaw !== undefined || listed?.definition.outputSchema === undefined) return flaw;
    const structured = member(result, 'structuredContent');
    if (structured !== undefined) return this.#checkOf(listed)?.(structured);
    return member(result, 'isError') === true
      ? undefined
      : `${tool} has an outputSchema, and there is no structuredContent`;
  }

  #checkOf(listed: Listed): SchemaCheck | undefined {
    if (!listed.isCompiled) {
      listed.isCompiled = true;
      listed.check = compileSchema(listed.definition.outputSchema, 'structuredContent');
    }
    return listed.check;
  }
}
