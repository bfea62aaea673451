/** Makes forms of tools: which fields a person fills in, from the tools' own schemas. */
import type { ToolDefinition, ToolRule } from '@mcp-tx/core';
import type { ShopServer } from 'shop';
import { SHOP_RULES, SHOP_TOOLS } from 'shop';

/** One field. */
export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'integer';
  readonly required: boolean;
  readonly initial: string;
}

/** One tool that a person may run. Plain data: it travels to the browser. */
export interface ToolForm {
  readonly server: ShopServer;
  readonly tool: string;
  readonly title: string;
  readonly description: string;
  /** It changes nothing, so that it needs no key. */
  readonly readOnly: boolean;
  readonly fields: readonly FormField[];
}

interface Property {
  readonly type?: unknown;
  readonly description?: string;
}

/** What MCP has beside what MCP-Tx needs. */
interface DescribedTool {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema?: {
    readonly properties?: Readonly<Record<string, Property>>;
    readonly required?: readonly string[];
  };
}

/** What stands in a field at first. */
const INITIAL: Readonly<Record<string, string>> = { orderId: 'order-42', amount: '1290' };
const INITIAL_PATH: Readonly<Record<string, string>> = { list_directory: '.', read_text_file: 'assam-tea.md' };
/** Words for what a machine calls otherwise. */
const TITLES: Readonly<Record<string, string>> = {
  list_directory: 'List the catalogue',
  read_text_file: 'Read a page of the catalogue',
};
const LABELS: Readonly<Record<string, string>> = { orderId: 'Order', amount: 'Amount', path: 'File' };

/** The forms of those of a server's tools that are on the allow-list, with the fields that are required. */
export function toolForms(server: ShopServer, tools: readonly ToolDefinition[]): readonly ToolForm[] {
  return SHOP_TOOLS[server].flatMap((name) => {
    const definition = tools.find((tool) => tool.name === name);
    return definition === undefined ? [] : [formOf(server, definition)];
  });
}

function formOf(server: ShopServer, definition: ToolDefinition): ToolForm {
  const { name, title, description = '', inputSchema } = definition as DescribedTool;
  const { properties = {}, required = [] } = inputSchema ?? {};
  const rules: Readonly<Record<string, ToolRule>> = SHOP_RULES[server];
  return {
    server,
    tool: name,
    title: TITLES[name] ?? title ?? name,
    description: description.split(/(?<=\.)\s/)[0] ?? '',
    readOnly: rules[name]?.readOnly === true,
    fields: required.map((field) => fieldOf(name, field, properties[field] ?? {})),
  };
}

function fieldOf(tool: string, name: string, { type, description }: Property): FormField {
  const label = LABELS[name] ?? name;
  return {
    name,
    label: description === undefined ? label : `${label} (${description})`,
    kind: type === 'integer' || type === 'number' ? 'integer' : 'text',
    required: true,
    initial: name === 'path' ? (INITIAL_PATH[tool] ?? '') : (INITIAL[name] ?? ''),
  };
}
