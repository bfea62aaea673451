// The TypeScript examples of a document: where they stand, what is to be done with them, and how they become modules.

/** One fenced block of TypeScript. */
export interface Snippet {
  readonly file: string;
  /** The line of the fence, counted from 1. */
  readonly line: number;
  readonly mode: 'check' | 'run' | 'no-check';
  /** What a compiler gets to see, line by line, with the line of the document that each comes from. */
  readonly lines: readonly { readonly text: string; readonly line: number }[];
}

/** The snippets of a document, and the fences that nobody would check. */
export interface Document {
  readonly snippets: readonly Snippet[];
  readonly problems: readonly string[];
}

const FENCE = /^( {0,3})(`{3,}|~{3,})\s*(.*)$/;
const SETUP = /^snippet setup\s*\n/;

/**
 * Finds the blocks that start with ```` ```ts ````. After `ts` may stand one word: `run` (also run it; it must exit
 * with 0), `continues` (the block before is the beginning of this one), `no-check` (only with a reason, in an HTML
 * comment right above). An HTML comment right above that starts with `snippet setup` holds lines that a reader need
 * not see.
 */
export function readSnippets(file: string, markdown: string): Document {
  const lines = markdown.split('\n');
  const snippets: Snippet[] = [];
  const problems: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, indent = '', fence, info = ''] = FENCE.exec(lines[at] ?? '') ?? [];
    if (fence === undefined) continue;
    const start = at;
    do at += 1;
    while (at < lines.length && !closes(lines[at] ?? '', fence));
    const place = `${file}:${start + 1}`;
    if (at === lines.length) problems.push(`${place} opens a block that nothing closes`);
    const [language = '', ...words] = info.trim().split(/\s+/);
    if (/^(typescript|tsx|mts|cts|js|mjs|javascript|jsx)$/i.test(language)) {
      problems.push(`${place} is marked ${language}, which nobody checks; examples are \`\`\`ts`);
    }
    if (language !== 'ts') continue;
    const comment = commentAbove(lines, start);
    const body = lines
      .slice(start + 1, at)
      .map((text, index) => ({ text: text.slice(indent.length), line: start + 2 + index }));
    const setup = comment && SETUP.test(comment.text) ? comment.text.split('\n').slice(1) : [];
    const before = words[0] === 'continues' ? (snippets.at(-1)?.lines ?? []) : [];
    const mode = words[0] === 'run' || words[0] === 'no-check' ? words[0] : 'check';
    if (words.length > 1 || (mode === 'check' && words.length === 1 && words[0] !== 'continues')) {
      problems.push(`${place} is marked "${words.join(' ')}"; after ts may stand run, continues or no-check`);
    }
    if (words[0] === 'continues' && before.length === 0) problems.push(`${place} continues a block that is not there`);
    if (mode === 'no-check' && (comment?.text.trim().length ?? 0) < 10) {
      problems.push(`${place} is not checked and gives no reason in an HTML comment above it`);
    }
    snippets.push({
      file,
      line: start + 1,
      mode,
      lines: [...before, ...setup.map((text) => ({ text, line: comment?.line ?? start })), ...body],
    });
  }
  return { snippets, problems };
}

/** The name of the module that a snippet becomes. */
export function moduleName({ file, line }: Snippet): string {
  return `${file.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${line}.ts`;
}

/** The module itself. A block without imports would otherwise be a script, whose names are global. */
export function moduleText({ lines }: Snippet): string {
  return `${lines.map(({ text }) => text).join('\n')}\nexport {};\n`;
}

/** A compiler's message about a module, with the place in the document in front. */
export function inDocument(message: string, snippets: readonly Snippet[]): string {
  const [, module, line, rest] = /^(?:.*[/\\])?([^/\\(]+\.ts)\((\d+),\d+\): (.*)$/.exec(message) ?? [];
  const snippet = snippets.find((candidate) => moduleName(candidate) === module);
  if (!snippet) return message;
  return `${snippet.file}:${snippet.lines[Number(line) - 1]?.line ?? snippet.line} ${rest}`;
}

function closes(line: string, fence: string): boolean {
  const text = line.trim();
  return text.length >= fence.length && text === fence.charAt(0).repeat(text.length);
}

function commentAbove(lines: readonly string[], fence: number): { text: string; line: number } | undefined {
  let end = fence - 1;
  while (end >= 0 && (lines[end] ?? '').trim() === '') end -= 1;
  if (!(lines[end] ?? '').trimEnd().endsWith('-->')) return undefined;
  let start = end;
  while (start >= 0 && !(lines[start] ?? '').includes('<!--')) start -= 1;
  const text = lines.slice(start, end + 1).join('\n');
  return { text: text.slice(text.indexOf('<!--') + 4, text.lastIndexOf('-->')).trim(), line: start + 1 };
}
