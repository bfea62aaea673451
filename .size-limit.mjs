// What an entry of core costs: the built modules that it reaches, comments included, compressed. Dependencies are not
// counted. A limit that must be raised is raised in the commit that needs it, where review sees it.
import { dirname, join } from 'node:path';
import { importedModules, readTypeScript } from './scripts/lib/typescript-source.ts';
import { codeEntries, packages, read, root } from './scripts/lib/workspace.ts';

const LIMITS = {
  '.': '40 kB',
  './protocol': '2 kB',
  './ledger': '10 kB',
  './sdk-v1': '10 kB',
  './sdk-v2': '10 kB',
};

const core = packages.find(({ folder }) => folder === join('packages', 'core'));

export default codeEntries(core.manifest.publishConfig.exports).map(([entry, target]) => {
  const limit = LIMITS[entry];
  if (limit === undefined) throw new Error(`.size-limit.mjs has no limit for the entry ${entry} of @mcp-tx/core`);
  const path = [...reachedFrom(join(core.folder, target.default))].map((file) => join(root, file));
  return { name: `@mcp-tx/core${entry.slice(1)}`, path, limit };
});

function reachedFrom(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { specifier } of importedModules(readTypeScript(read(file)))) {
    if (specifier.startsWith('.')) reachedFrom(join(dirname(file), specifier), seen);
  }
  return seen;
}
