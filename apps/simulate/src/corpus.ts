// Histories that once went wrong. They are played for ever.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSeedName, seedName } from './world/model.ts';

const FOLDER = fileURLToPath(new URL('../corpus', import.meta.url));

/** One of them. */
export interface CorpusEntry {
  readonly file: string;
  readonly seed: number;
  /** What it found. */
  readonly found: string;
}

/** Reads the corpus. @throws Error that names the file and what is wrong with it */
export function readCorpus(folder: string = FOLDER): readonly CorpusEntry[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => readEntry(join(folder, name), name));
}

/** Puts a seed into the corpus, unless it is there. */
export function addToCorpus(seed: number, found: string, folder: string = FOLDER): string {
  const file = join(folder, `${seedName(seed)}.json`);
  const entry = { seed: seedName(seed), found };
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(entry, null, 2)}\n`);
  return file;
}

function readEntry(path: string, file: string): CorpusEntry {
  try {
    const { seed, found } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    if (typeof seed !== 'string' || typeof found !== 'string')
      throw new Error('needs a "seed" and what it "found", as texts');
    return { file, seed: readSeedName(seed), found };
  } catch (error) {
    throw new Error(`corpus/${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
