/** Words that several parts of the demo say in the same way. */
import type { Side } from '../job.ts';

/** The two ways, by their names for people. */
export const SIDE_NAMES: Readonly<Record<Side, string>> = { raw: 'SDK + retry loop', mcpTx: 'MCP-Tx' };

/** How long something took. */
export function seconds(took: { readonly seconds: number }): string {
  return `${took.seconds.toFixed(1)} s`;
}

const INDENT = '  ';
const WIDTH = 79;

/** A paragraph, in lines that fit an old terminal. */
export function wrap(text: string): string {
  const lines: string[] = [];
  let line = INDENT;
  for (const word of text.split(' ')) {
    if (line.length + word.length > WIDTH) {
      lines.push(line.trimEnd());
      line = INDENT;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join('\n');
}
