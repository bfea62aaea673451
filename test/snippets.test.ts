import { describe, expect, it } from 'vitest';
import { inDocument, moduleName, moduleText, readSnippets } from '../scripts/lib/snippets.ts';

const document = (...lines: string[]) => readSnippets('docs/a.md', lines.join('\n'));
const problems = (...lines: string[]) => document(...lines).problems;

describe('blocks', () => {
  it('are found with their mode, and other languages are left alone', () => {
    const { snippets } = document(
      '```ts',
      'a;',
      '```',
      '```ts run',
      'b;',
      '```',
      '```sh',
      'npm test',
      '```',
      '~~~ts',
      'c;',
      '~~~',
    );
    expect(snippets.map(({ line, mode }) => [line, mode])).toEqual([
      [1, 'check'],
      [4, 'run'],
      [10, 'check'],
    ]);
  });

  it('may hold fences, and may be indented', () => {
    const { snippets } = document('````md', '```ts', 'a;', '```', '````', '  ```ts', '  b;', '    c;', '  ```');
    expect(snippets.map(moduleText)).toEqual(['b;\n  c;\nexport {};\n']);
  });

  it('that continue begin with the block before', () => {
    const { snippets } = document(
      '```ts',
      'const a = 1;',
      '```',
      'text',
      '```ts continues',
      'a;',
      '```',
      '```ts continues',
      '-a;',
      '```',
    );
    expect(snippets.map(moduleText).at(-1)).toBe('const a = 1;\na;\n-a;\nexport {};\n');
  });

  it('may have lines that a reader need not see', () => {
    const { snippets } = document('<!-- snippet setup', 'declare const a: number;', '-->', '', '```ts', 'a;', '```');
    expect(snippets.map(moduleText)).toEqual(['declare const a: number;\na;\nexport {};\n']);
  });
});

describe('problems', () => {
  it.each([
    ['no-check without a reason', ['```ts no-check', 'a;', '```'], 'docs/a.md:1 is not checked and gives no reason'],
    [
      'a reason that is not right above',
      ['<!-- the reason is long -->', 'x', '```ts no-check', '```'],
      'docs/a.md:3 is not checked',
    ],
    ['an unknown word', ['```ts runs', 'a;', '```'], 'docs/a.md:1 is marked "runs"'],
    ['a language that nobody checks', ['```typescript', 'a;', '```'], 'docs/a.md:1 is marked typescript'],
    ['nothing to continue', ['```ts continues', 'a;', '```'], 'docs/a.md:1 continues a block that is not there'],
    ['an open block', ['```ts', 'a;'], 'docs/a.md:1 opens a block that nothing closes'],
  ])('%s', (_what, lines, sentence) => {
    expect(problems(...lines)).toEqual([expect.stringContaining(sentence)]);
  });

  it('a reason above makes no-check fine', () => {
    expect(problems('<!-- shows what must not be written -->', '```ts no-check', 'a;', '```')).toEqual([]);
  });
});

it('a message of the compiler is told with the line of the document', () => {
  const { snippets } = document('text', '```ts', 'const a = 1;', '```', '```ts continues', 'a.b;', '```');
  const message = (line: number) => `.generated/${moduleName(snippets.at(-1) as never)}(${line},3): error TS2339: no`;
  expect(inDocument(message(2), snippets)).toBe('docs/a.md:6 error TS2339: no');
  expect(inDocument(message(1), snippets)).toBe('docs/a.md:3 error TS2339: no');
  expect(inDocument('error TS18003: No inputs', snippets)).toBe('error TS18003: No inputs');
});
