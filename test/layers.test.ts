// Architecture as a test: the sources of this repository, and for each rule a small source that breaks it.
import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SourceFile } from '../scripts/lib/layers.ts';
import { ambientUses, brokenArrows, packagesReachedFrom, untidyFiles } from '../scripts/lib/layers.ts';
import { codeEntries, filesIn, packages, read } from '../scripts/lib/workspace.ts';

function sourcesOf(folder: string): readonly SourceFile[] {
  return filesIn(`${folder}/src`, ['.ts', '.tsx']).map((path) => ({
    path: relative(`${folder}/src`, path).replaceAll('\\', '/'),
    text: read(path),
  }));
}

describe('packages/core/src', () => {
  const files = sourcesOf('packages/core');

  it('has no import that points upwards', () => {
    expect(brokenArrows(files)).toEqual([]);
  });

  it('touches time, chance and crypto in runtime/ only', () => {
    expect(ambientUses(files)).toEqual([]);
  });

  const entries = codeEntries(packages.find(({ folder }) => folder === 'packages/core')?.manifest.exports);
  it.each(entries.filter(([entry]) => !entry.startsWith('./sdk-')))(
    'needs no MCP SDK for the entry %s: the SDKs are optional peers',
    (_entry, { 'mcp-tx:source': source = '' }) => {
      const reached = packagesReachedFrom(source.replace('./src/', ''), files);
      expect([...reached].filter((name) => name.startsWith('@modelcontextprotocol/'))).toEqual([]);
    },
  );
});

it.each(packages.map(({ folder }) => folder))('%s/src has tidy files', (folder) => {
  expect(untidyFiles(sourcesOf(folder))).toEqual([]);
});

describe('the rules themselves', () => {
  const one = (path: string, text: string): readonly SourceFile[] => [{ path, text }];

  it.each([
    ['policy/a.ts', "import '../engine/b.ts';", 'policy/a.ts:1 imports ../engine/b.ts; policy may not know engine'],
    [
      'ledger/a.ts',
      "\nexport type { B } from '../index.ts';",
      'ledger/a.ts:2 imports ../index.ts; ledger may not know a face',
    ],
    [
      'hub/a.ts',
      "import '../../../sql/src/b.ts';",
      'hub/a.ts:1 imports ../../../sql/src/b.ts, which is outside of src',
    ],
    ['hub/a.ts', "import '@mcp-tx/sql';", 'hub/a.ts:1 imports @mcp-tx/sql; core imports nothing of this workspace'],
    ['helpers/a.ts', '', expect.stringContaining('"helpers" is not a layer')],
  ])('%s with %j is found', (path, text, sentence) => {
    expect(brokenArrows(one(path, text))).toEqual([sentence]);
  });

  it('imports from below, from beside and from packages are fine', () => {
    const text = "import '../runtime/b.ts'; import './c.ts'; import 'ajv'; import 'node:net';";
    expect(brokenArrows(one('engine/a.ts', text))).toEqual([]);
    expect(brokenArrows(one('index.ts', "export { a } from './hosts/a.ts';"))).toEqual([]);
  });

  it.each([
    'Date.now()',
    'new Date(0)',
    'performance.now()',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    'setImmediate(f)',
    'Math.random()',
    'globalThis.crypto.randomUUID()',
    "import { hash } from 'node:crypto'",
    "import { setTimeout as sleep } from 'node:timers/promises'",
  ])('%s is found outside of runtime/ and fine inside', (text) => {
    expect(ambientUses(one('engine/a.ts', text))).not.toEqual([]);
    expect(ambientUses(one('runtime/a.ts', text))).toEqual([]);
    expect(ambientUses(one('engine/a.ts', `// ${text}`))).toEqual([]);
  });

  it.each([
    ['a.ts', 'x;\n'.repeat(251), 'a.ts has 251 lines; the most is 250'],
    ['b/utils.ts', '', 'b/utils.ts is named after nothing that it owns'],
    ['a.ts', "\nexport * from './b.ts';", 'a.ts:2 exports *; name what is public'],
    ['a.ts', "export type * as b from './b.ts';", 'a.ts:1 exports *; name what is public'],
    ['a.ts', 'export default 1;', 'a.ts:1 has a default export'],
    ['a.ts', 'export { a as default };', 'a.ts:1 has a default export'],
  ])('untidy: %s %#', (path, text, sentence) => {
    expect(untidyFiles(one(path, text))).toEqual([sentence]);
  });

  it('250 lines are fine', () => {
    expect(untidyFiles(one('a.ts', 'x;\n'.repeat(250)))).toEqual([]);
  });

  it('finds a package that a face reaches by way of other files', () => {
    const files = [
      ...one('index.ts', "export { a } from './hub/a.ts';"),
      ...one('hub/a.ts', "import type { B } from '@scope/b/c';"),
    ];
    expect([...packagesReachedFrom('index.ts', files)]).toEqual(['@scope/b']);
  });
});
