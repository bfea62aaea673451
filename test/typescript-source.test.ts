import { expect, it } from 'vitest';
import { importedModules, readTypeScript } from '../scripts/lib/typescript-source.ts';

const imports = (text: string) => importedModules(readTypeScript(text)).map(({ specifier }) => specifier);

it('finds every way to import', () => {
  const text = [
    "import 'a';",
    "import b, { c } from 'b';",
    "import type { D } from './d.ts';",
    'export {\n  e,\n} from "./e.ts";',
    "const f = await import('f');",
    "type G = import('./g.ts').G;",
  ].join('\n');
  expect(imports(text)).toEqual(['a', 'b', './d.ts', './e.ts', 'f', './g.ts']);
});

it('is not fooled by comments, strings and names', () => {
  const text = [
    "// import 'a';",
    "/* from 'b' */",
    `const c = "from 'c'";`,
    "Array.from('d');",
    "const e = `import '${f}'`;",
  ];
  expect(imports(text.join('\n'))).toEqual([]);
});

it.each([
  ['a string', "const a = 'Date.now()';"],
  ['a comment', '// Date.now()'],
  ['a block comment', '/* Date.now() */ 1;'],
  ['a template', 'const a = `Date.now()`;'],
  ['the text of a template after a substitution', 'const a = `${b}Date.now()${`${c}`}Date.now()`;'],
  ['a regular expression', 'const a = /[\'"`]Date.now()/;'],
  ['a class in a regular expression', 'a.replace(/[/"]Date.now()/g, b);'],
])('blanks %s', (_what, text) => {
  expect(readTypeScript(text).code).not.toContain('Date.now');
  expect(readTypeScript(text).code).toHaveLength(text.length);
});

it.each([
  ['after a string with an escaped quote', "const a = 'it\\'s'; Date.now();"],
  ['after a regular expression with quotes', 'const a = /[\'"]/; Date.now();'],
  ['after a division', "const a = b / c; const d = 'x / y'; Date.now();"],
  ['in a substitution of a template', 'const a = `text ${Date.now()} text`;'],
  ['in an object in a substitution', 'const a = `text ${f({ at: Date.now() })} text`;'],
  ['after characters of two code units', "const a = '👍👍'; /* 👍 */ Date.now();"],
  ['after a template', 'const a = `x${{}}`; Date.now();'],
])('keeps code %s', (_where, text) => {
  expect(readTypeScript(text).code).toContain('Date.now()');
});
