// What every package.json promises, pinned. A red pin is not forbidden; it must be deliberate.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Member } from '../scripts/lib/workspace.ts';
import { apps, codeEntries, packages, read, root } from '../scripts/lib/workspace.ts';

const rootManifest = JSON.parse(read('package.json')) as Member['manifest'];

/** Apps that other apps import. */
const SHARED_APPS: readonly string[] = ['measure', 'shop'];

/** Who may import whom: a name imports names of a lower rank; tests may also use TEST_TOOLS. */
const RANKS: Readonly<Record<string, number>> = {
  '@mcp-tx/core': 0,
  ...ranked(1, 'testing', 'sql', 'redis', 'express', 'next', 'nest', 'lambda', 'bullmq', 'rabbitmq', 'server', 'otel'),
  ...ranked(2, 'cli', 'dashboard'),
  ...Object.fromEntries(apps.map(({ manifest }) => [manifest.name, SHARED_APPS.includes(manifest.name) ? 3 : 4])),
};

/** What tests may use beside what their package imports. Servers and workers that are killed need a store that outlives them. */
const TEST_TOOLS: Readonly<Record<string, readonly string[]>> = {
  '@mcp-tx/rabbitmq': ['@mcp-tx/testing', '@mcp-tx/sql'],
  '@mcp-tx/server': ['@mcp-tx/testing', '@mcp-tx/sql'],
};

function ranked(rank: number, ...names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name) => [`@mcp-tx/${name}`, rank]));
}

function workspaceDependencies(
  { manifest }: Member,
  ...kinds: ('dependencies' | 'peerDependencies' | 'devDependencies')[]
) {
  return kinds.flatMap((kind) => Object.keys(manifest[kind] ?? {})).filter((name) => name in RANKS);
}

describe.each(packages.map((member) => [member.folder, member] as const))('%s', (folder, member) => {
  const { manifest } = member;

  it('is named after its folder and says what it is', () => {
    expect(manifest.name).toBe(folder.replace('packages/', '@mcp-tx/'));
    expect(manifest.description).toMatch(/^[A-Z].{20,}[^.]$/);
    expect(manifest.private).toBeUndefined();
  });

  it('is an ES module without side effects for Node 22.13 and newer', () => {
    expect(manifest).toMatchObject({
      type: 'module',
      sideEffects: false,
      license: 'MIT',
      files: ['dist', 'src'],
      engines: { node: '>=22.13' },
      publishConfig: { access: 'public' },
    });
  });

  it('exports sources to the workspace and dist to the world, from the same names', () => {
    const entries = codeEntries(manifest.exports);
    expect(entries.length).toBeGreaterThan(0);
    for (const [entry, { 'mcp-tx:source': source = '', ...world }] of entries) {
      const name = source.replace(/^\.\/src\/(.+)\.ts$/, '$1');
      expect(existsSync(join(root, folder, source)), `${entry} points to ${source}`).toBe(true);
      expect(world).toEqual({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
      expect(Object.keys(world), 'types comes first: the first match wins').toEqual(['types', 'default']);
      expect(manifest.publishConfig?.exports?.[entry]).toEqual(world);
    }
    expect(Object.keys(manifest.publishConfig?.exports ?? {})).toEqual(Object.keys(manifest.exports ?? {}));
    expect(manifest.exports?.['./package.json']).toBe('./package.json');
  });

  it('has a README under its name that mentions the license', () => {
    const readme = read(folder, 'README.md');
    expect(readme.split('\n')[0]).toBe(`# ${manifest.name}`);
    expect(readme).toMatch(/\bLICENSE\b/);
  });

  it('depends at run time on ranges, so that a user gets one copy of a package', () => {
    for (const [name, range] of Object.entries(manifest.dependencies ?? {})) expect(range, name).toMatch(/^\^\d/);
  });

  it('tests against each of its peers', () => {
    const own = Object.keys(manifest.devDependencies ?? {});
    expect(Object.keys(manifest.peerDependencies ?? {}).filter((name) => !own.includes(name))).toEqual([]);
  });

  it('has each runtime dependency explained in docs/DEPENDENCIES.md', () => {
    const lines = read('docs', 'DEPENDENCIES.md').split('\n');
    const short = folder.replace('packages/', '');
    const explained = (name: string) =>
      lines.some((line) => line.startsWith(`| \`${name}\` |`) && line.includes(short));
    expect(Object.keys(manifest.dependencies ?? {}).filter((name) => !explained(name))).toEqual([]);
  });
});

describe.each([...packages, ...apps].map((member) => [member.folder, member] as const))('%s', (_folder, member) => {
  const { manifest } = member;
  const rank = RANKS[manifest.name] ?? Number.NaN;

  it('has a place among the arrows', () => {
    expect(rank, 'add it to RANKS').not.toBeNaN();
  });

  it('imports only what stands below it', () => {
    const wrong = (names: readonly string[]) => names.filter((name) => !((RANKS[name] ?? Number.NaN) < rank));
    expect(wrong(workspaceDependencies(member, 'dependencies', 'peerDependencies'))).toEqual([]);
    const devOnly = workspaceDependencies(member, 'devDependencies');
    const allowed = TEST_TOOLS[manifest.name] ?? ['@mcp-tx/testing'];
    expect(wrong(devOnly).filter((name) => rank === 0 || !allowed.includes(name))).toEqual([]);
  });

  it('pins what it is developed with', () => {
    const own = { ...manifest.devDependencies, ...(manifest.private ? manifest.dependencies : {}) };
    expect(unpinned(own)).toEqual([]);
  });
});

describe('the root', () => {
  it('pins what it is developed with', () => {
    expect(unpinned({ ...rootManifest.devDependencies, ...rootManifest.optionalDependencies })).toEqual([]);
  });

  it('pins the same Node everywhere', () => {
    const versions = Object.values(rootManifest.optionalDependencies ?? {});
    expect(new Set(versions).size).toBe(1);
    expect(read('pnpm-workspace.yaml')).toContain(`nodeVersion: ${versions[0]}\n`);
  });
});

function unpinned(dependencies: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(dependencies)
    .filter(([, version]) => !/^(\d+\.\d+\.\d+(-[\w.]+)?|workspace:\*)$/.test(version))
    .map(([name, version]) => `${name}@${version}`);
}
