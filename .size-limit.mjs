// What an entry of core costs a user who bundles: all of its own modules in one file, minified and compressed.
// Dependencies are not counted. A limit that must be raised is raised in the commit that needs it, where review sees it.
import { mkdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { build } from 'rolldown';
import { codeEntries, packages, root } from './scripts/lib/workspace.ts';

const LIMITS = {
  '.': '39 kB',
  './protocol': '1 kB',
  './ledger': '10 kB',
  './http': '14 kB',
  './job': '6.5 kB',
  './sdk-v1': '9 kB',
  './sdk-v2': '9 kB',
};

const core = packages.find(({ folder }) => folder === join('packages', 'core'));
const folder = join(root, '.tmp', 'size');
mkdirSync(folder, { recursive: true });

const entries = codeEntries(core.manifest.publishConfig.exports).map(async ([entry, target]) => {
  const limit = LIMITS[entry];
  if (limit === undefined) throw new Error(`.size-limit.mjs has no limit for the entry ${entry} of @mcp-tx/core`);
  const path = join(folder, `core${entry.slice(1).replaceAll('/', '.')}.js`);
  await build({
    input: join(root, core.folder, target.default),
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
    platform: 'node',
    output: { file: path, minify: true, codeSplitting: false },
    logLevel: 'warn',
  });
  return { name: `@mcp-tx/core${entry.slice(1)}`, path, limit };
});

export default await Promise.all(entries);
