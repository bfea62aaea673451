// One vitest for the whole repository: a project per package or app that has tests, and one for the root's own.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { CountReporter } from './test/count-reporter.ts';

// A bare ./node_modules/.bin/vitest runs on the system's Node, where the suite may pass without proving anything.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  throw new Error(`tests need Node 22.13 or newer, this is ${process.version}: use npm test, or npx vitest`);
}

const root = import.meta.dirname;
// Tests read sources, not dist: a test never waits for a build and never sees a stale one. Vite adds its own defaults
// only where nothing is set, so they are named here again.
const conditions = ['mcp-tx:source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    reporters: ['default', new CountReporter()],
    // One process for all files of a project: a process each costs more than most of the tests. A test has to clean up after itself,
    // for what it leaves behind the next file finds.
    isolate: false,
    // A test that hangs fails all the same; one that computes for 2 s does not, while a machine does other things too.
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Servers and workers that tests start find their modules compiled: starting them is a good part of what they take.
    env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile') },
    projects: ['packages', 'apps']
      .flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name)))
      .concat('.')
      .filter((folder) => existsSync(join(root, folder, 'test')))
      .map((folder) => ({
        extends: true,
        root: join(root, folder),
        test: {
          name: folder === '.' ? 'repository' : folder,
          include: ['test/**/*.test.ts'],
          // What a folder's tests need first, such as a build: it runs once, and only when one of them runs.
          globalSetup: [join(root, folder, 'test', 'support', 'build-app.ts')].filter((file) => existsSync(file)),
        },
      })),
  },
});
