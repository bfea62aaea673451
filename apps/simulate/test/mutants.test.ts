// Every mutant changes the sources as they are now: one that no longer applies would prove nothing, silently.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyEdit } from '../src/mutants/mutant.ts';
import { MUTANTS, mutantById } from '../src/mutants/mutants.ts';

const root = join(import.meta.dirname, '../../..');

describe('the mutants', () => {
  it.each(MUTANTS)('$id applies to the sources', ({ edits }) => {
    expect(edits.length).toBeGreaterThan(0);
    const changed = new Map<string, string>();
    for (const edit of edits) {
      const source = changed.get(edit.file) ?? readFileSync(join(root, edit.file), 'utf8');
      changed.set(edit.file, applyEdit(source, edit));
    }
    for (const source of changed.values()) expect(stripTypeScriptTypes(source)).not.toBe(''); // throws where it is no longer TypeScript
  });

  it('are at least twenty, with ids of their own, and two equivalents at most', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
    expect(new Set(MUTANTS.map(({ id }) => id)).size).toBe(MUTANTS.length);
    expect(MUTANTS.filter(({ equivalent }) => equivalent !== undefined).length).toBeLessThanOrEqual(2);
  });

  it('say which one there is not', () => {
    expect(() => mutantById('no-such')).toThrow('there is no mutant "no-such"');
  });

  it('say what has moved on', () => {
    const edit = { file: 'a.ts', find: 'one', replace: 'two' };
    expect(() => applyEdit('one one', edit)).toThrow('"one" occurs 2 times in a.ts');
    expect(applyEdit('a one', edit)).toBe('a two');
  });
});
