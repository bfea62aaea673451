/** Decides whether a result has the shape that MCP gives to the answer of a tool. */
import { member } from '../protocol/tx-meta.ts';

/** Members that must be strings, by type of block. A type that is not here may look as it likes. */
const STRINGS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['text', ['text']],
  ['image', ['data', 'mimeType']],
  ['audio', ['data', 'mimeType']],
  ['resource_link', ['name', 'uri']],
]);

/** What is wrong with the shape of a result; `undefined`: nothing is. Content that is not there is not looked for. */
export function shapeFlaw(result: object): string | undefined {
  const { content, structuredContent, isError, _meta } = result as Readonly<Record<string, unknown>>;
  if (content !== undefined && !Array.isArray(content)) return 'content is not an array';
  for (let at = 0; content !== undefined && at < content.length; at += 1) {
    const flaw = blockFlaw(content[at]);
    if (flaw !== undefined) return `content[${at}] ${flaw}`;
  }
  if (structuredContent !== undefined && !isObject(structuredContent)) return 'structuredContent is not an object';
  if (isError !== undefined && typeof isError !== 'boolean') return 'isError is not a boolean';
  return _meta === undefined || isObject(_meta) ? undefined : '_meta is not an object';
}

function blockFlaw(block: unknown): string | undefined {
  const type = member(block, 'type');
  if (typeof type !== 'string') return 'has no type';
  for (const name of STRINGS.get(type) ?? []) {
    if (typeof member(block, name) !== 'string') return `is of type ${type} and has no ${name}`;
  }
  return type === 'resource' && !isObject(member(block, 'resource')) ? 'is of type resource and has none' : undefined;
}

/** A JSON object: no array, and not `null`. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
