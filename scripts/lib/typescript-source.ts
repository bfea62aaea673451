// Reads TypeScript as text, just well enough to tell code from comments and strings. No compiler: TypeScript 7 has no
// API for other programs yet, and a check that people rely on should be readable in one sitting.

/** A source with its comments and strings found. Positions are the same in all three texts. */
export interface TypeScriptSource {
  readonly text: string;
  /** Comments and the inside of strings are blanks. What is left is code. */
  readonly code: string;
  /** String literals without substitutions, in order. `at` is the position of the opening quote. */
  readonly strings: readonly { readonly at: number; readonly value: string }[];
}

/** Where a name is imported from: `import`, `export … from`, `import()`, also of types only. */
export interface ImportedModule {
  readonly specifier: string;
  readonly line: number;
}

const REGEX_MAY_FOLLOW = /(^|[(,=:[!&|?{};+\-*%<>~^]|\b(return|typeof|case|in|of|delete|void|throw|await|yield))\s*$/;

/** Splits a source into code, comments and strings. */
export function readTypeScript(text: string): TypeScriptSource {
  const code = text.split(''); // by code unit, as positions are
  const strings: { at: number; value: string }[] = [];
  const openTemplates: number[] = []; // depth of braces at which the text of a template goes on
  let braces = 0;
  let at = 0;

  const blank = (from: number, to: number) => {
    for (let index = from; index < to; index += 1) if (code[index] !== '\n') code[index] = ' ';
  };
  const skipTo = (end: number) => {
    blank(at, end);
    at = end;
  };
  const readTemplate = (start: number) => {
    const end = endOfTemplateText(text, start);
    blank(start, end);
    if (text.startsWith('${', end)) {
      openTemplates.push(braces);
      braces += 1;
      at = end + 2;
    } else at = end + 1;
    return end;
  };

  while (at < text.length) {
    const char = text.charAt(at);
    if (text.startsWith('//', at)) skipTo(indexOr(text, '\n', at, 0));
    else if (text.startsWith('/*', at)) skipTo(indexOr(text, '*/', at + 2, 2));
    else if (char === "'" || char === '"') {
      const end = endOfString(text, at, char);
      strings.push({ at, value: text.slice(at + 1, end) });
      blank(at + 1, end);
      at = end + 1;
    } else if (char === '`') {
      const start = at;
      const end = readTemplate(at + 1);
      if (text[end] === '`') strings.push({ at: start, value: text.slice(start + 1, end) });
    } else if (char === '/' && REGEX_MAY_FOLLOW.test(code.slice(Math.max(0, at - 30), at).join(''))) {
      const end = endOfRegex(text, at);
      blank(at + 1, end);
      at = end + 1;
    } else {
      if (char === '{') braces += 1;
      if (char === '}') braces -= 1;
      if (char === '}' && openTemplates.at(-1) === braces) {
        openTemplates.pop();
        readTemplate(at + 1);
      } else at += 1;
    }
  }
  return { text, code: code.join(''), strings };
}

/** Every module that a source imports from. */
export function importedModules(source: TypeScriptSource): readonly ImportedModule[] {
  return source.strings
    .filter(({ at }) => /\b(from|import)\s*$|\bimport\s*\(\s*$/.test(source.code.slice(Math.max(0, at - 20), at)))
    .map(({ at, value }) => ({ specifier: value, line: lineOf(source.text, at) }));
}

/** The line of a position, counted from 1. */
export function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

function endOfString(text: string, start: number, quote: string): number {
  let at = start + 1;
  while (at < text.length && text[at] !== quote && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function endOfTemplateText(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== '`' && !text.startsWith('${', at)) at += text[at] === '\\' ? 2 : 1;
  return at;
}

function endOfRegex(text: string, start: number): number {
  let at = start + 1;
  let inClass = false;
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true;
    if (text[at] === ']') inClass = false;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at;
}

function indexOr(text: string, needle: string, from: number, extra: number): number {
  const found = text.indexOf(needle, from);
  return found === -1 ? text.length : found + extra;
}
