/** Makes a provider's method a local tool of a connection: a composition of calls that inherits key, deadline and signal. */
import type { LocalToolContext, LocalToolDefinition, McpTx } from '@mcp-tx/core';
import { SetMetadata } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';

/** What the decorator leaves on a method. */
interface Declared {
  readonly name: string;
  readonly definition: LocalToolDefinition<unknown>;
}

type ToolMethod<Input> = (input: Input, context: LocalToolContext) => unknown;

const METADATA = 'mcp-tx:reliable-tool';

/**
 * Declares a method as the local tool `name`: it gets the checked input and a context whose `callTool` derives the inner calls'
 * keys from the outer one's. Register the class with `McpTxModule.forFeature([…])`.
 */
export function ReliableTool<Input>(
  name: string,
  definition: LocalToolDefinition<Input>,
): <M extends ToolMethod<Input>>(
  target: object,
  property: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void {
  return SetMetadata(METADATA, { name, definition } satisfies { name: string; definition: LocalToolDefinition<Input> });
}

/** Registers the declared methods of a provider. @throws McpTxError `CONFIG_INVALID`, as `McpTx.tool` does */
export function registerReliableTools(client: McpTx, provider: object): void {
  const prototype = Object.getPrototypeOf(provider) as object;
  for (const method of new MetadataScanner().getAllMethodNames(prototype)) {
    const handler = (provider as Readonly<Record<string, ToolMethod<unknown>>>)[method] as ToolMethod<unknown>;
    const declared = Reflect.getMetadata(METADATA, handler) as Declared | undefined;
    if (declared === undefined) continue;
    client.tool(declared.name, declared.definition, (input, context) => handler.call(provider, input, context));
  }
}
