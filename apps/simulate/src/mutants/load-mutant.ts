// Preloaded into a process that shall run a mutant: changes the sources while they are loaded, and only there.
import { registerHooks } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyEdit } from './mutant.ts';
import { mutantById } from './mutants.ts';

/** Name of the environment variable that says which mutant. */
const VARIABLE = 'SIMULATE_MUTANT';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const { edits } = mutantById(process.env[VARIABLE] ?? '');

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.startsWith('file:')) return loaded;
    const path = relative(root, fileURLToPath(url)).replaceAll('\\', '/');
    const own = edits.filter(({ file }) => file === path);
    if (own.length === 0) return loaded;
    return { ...loaded, source: own.reduce(applyEdit, String(loaded.source)) };
  },
});
