// What a user gets: every package is packed, installed with npm in an empty project, imported, required and type-checked.
// The workspace itself resolves to sources, so nothing else would notice a dist that does not work.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../scripts/lib/workspace.ts';
import { codeEntries, packages, root } from '../scripts/lib/workspace.ts';

const NO_NETWORK = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;

/** Binds cases to vitest while it loads, so it loads in a vitest run only. */
const VITEST_ENTRY = '@mcp-tx/testing/vitest';

/** What is not installed but linked, and from where. */
const LINKED: ReadonlyMap<string, string> = new Map([
  ['vitest', '.'],
  ['@types/node', '.'],
  ['next', 'packages/next'],
]);

const project = mkdtempSync(join(tmpdir(), 'mcp-tx-pack-'));
const specifiers = packages.flatMap(({ manifest }) =>
  codeEntries(manifest.exports).map(([entry]) => `${manifest.name}${entry.slice(1)}`),
);

beforeAll(() => {
  execFileSync('turbo', ['run', 'build', '--output-logs=errors-only'], { cwd: root, stdio: 'pipe' });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  const tarballs = packages.map(({ folder }) => {
    const args = ['pack', '--json', '--pack-destination', project];
    const { filename } = JSON.parse(
      execFileSync('pnpm', args, { cwd: join(root, folder), encoding: 'utf8', stdio: 'pipe' }),
    );
    return filename as string;
  });
  install(tarballs);
}, 120_000);

afterAll(() => rmSync(project, { recursive: true, force: true }), 60_000); // many small files, and a disk that others use too

describe.each(packages.map((member) => [member.manifest.name, member] as const))('%s, packed', (name) => {
  const installed = join(project, 'node_modules', name);

  it('knows nothing of the workspace', () => {
    const text = readFileSync(join(installed, 'package.json'), 'utf8');
    expect(text).not.toContain('mcp-tx:source');
    expect(text).not.toContain('workspace:');
  });

  it('holds every file that it points to, a README and the license', () => {
    const { exports: map } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Member['manifest'];
    const files = codeEntries(map).flatMap(([, targets]) => Object.values(targets));
    expect(files.length).toBeGreaterThan(0);
    expect([...files, 'README.md', 'LICENSE'].filter((file) => !existsSync(join(installed, file)))).toEqual([]);
  });

  it('holds no file of an earlier build', () => {
    const orphans = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .filter((file) => !existsSync(join(installed, 'src', file.replace(/\.js$/, '.ts'))));
    expect(orphans).toEqual([]);
  });
});

/** This Node, and the oldest one that `engines` promises. */
const nodes: readonly (readonly [version: string, path: string])[] = [
  [process.version, process.execPath],
  ['v22.13.0', join(root, 'test', 'oldest-node', 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')],
];
const loads = nodes.flatMap(([version, path]) =>
  specifiers.filter((specifier) => specifier !== VITEST_ENTRY).map((specifier) => [version, specifier, path] as const),
);

it('the oldest Node is the one that the packages promise', () => {
  const [, [version, path]] = nodes as [unknown, readonly [string, string]];
  expect(execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()).toBe(version);
  for (const { manifest } of packages) expect(`v${manifest.engines?.node?.slice(2)}.0`).toBe(version);
}, 60_000); // its first start reads a hundred megabytes

it.each(loads)('[T43] Node %s: import and require give the same names: %s', (_version, specifier, node) => {
  const script = `
    import { createRequire } from 'node:module';
    const imported = Object.keys(await import('${specifier}'));
    const required = Object.keys(createRequire(import.meta.url)('${specifier}')).filter((name) => name !== '__esModule');
    console.log(JSON.stringify([imported.sort(), required.sort()]));`;
  const { stdout, stderr } = spawnSync(
    node,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script],
    {
      cwd: project,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    },
  );
  expect(stderr).toBe('');
  const [imported, required] = JSON.parse(stdout);
  expect(required).toEqual(imported);
});

it(`in a vitest run it loads: ${VITEST_ENTRY}`, () => {
  const text = `
    import { expect, it } from 'vitest';
    import * as entry from '${VITEST_ENTRY}';
    it('exports functions', () => expect(Object.values(entry).map((value) => typeof value)).toContain('function'));`;
  writeFileSync(join(project, 'entry.test.js'), text);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join('node_modules', 'vitest', 'vitest.mjs'), 'run'],
    {
      cwd: project,
      encoding: 'utf8',
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^VITEST/.test(name))),
    },
  );
  expect(status, `${stdout}${stderr}`).toBe(0);
}, 30_000);

it('the declarations type-check', () => {
  // To check them where they are would check all of zod and the SDKs too, which takes ten times as long. As .ts files
  // they are nobody's library: the compiler reads them in full and skips the others.
  for (const { manifest } of packages) {
    const dist = join(project, 'node_modules', manifest.name, 'dist');
    for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.d.ts'),
    )) {
      const copy = join(project, 'declarations', manifest.name, file.replace(/\.d\.ts$/, '.ts'));
      mkdirSync(dirname(copy), { recursive: true });
      copyFileSync(join(dist, file), copy);
    }
  }
  const uses = specifiers.map((name, index) => `export * as n${index} from '${name}';\n`);
  writeFileSync(join(project, 'declarations', 'consumer.ts'), uses.join(''));
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2024', strict: true, types: ['node'] },
    ...{ noEmit: true, allowImportingTsExtensions: true, skipLibCheck: true },
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['declarations'] }));
  const { status, stdout } = spawnSync('tsc', ['--pretty', 'false'], { cwd: project, encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
}, 30_000);

function install(tarballs: readonly string[]): void {
  // vitest and next are linked from here: each takes as long as everything else together, and is in no way ours.
  const peers = packages
    .flatMap(({ manifest }) =>
      Object.keys(manifest.peerDependencies ?? {}).map((name) => [name, manifest.devDependencies?.[name]]),
    )
    .filter(([name = '']) => !LINKED.has(name) && !name.startsWith('@mcp-tx/'));
  const args = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--fetch-retries=0',
    '--loglevel=error',
  ];
  const { status, error, stderr } = spawnSync('npm', [...args, ...tarballs, ...peers.map((peer) => peer.join('@'))], {
    cwd: project,
    encoding: 'utf8',
    env: withoutCallersNpm(process.env),
    timeout: 60_000, // a network that swallows packets
  });
  if (status !== 0) {
    if (!error && !NO_NETWORK.test(stderr)) throw new Error(`npm install failed:\n${stderr}`);
    console.warn('pack.test: no registry, so the packages are unpacked and their declared dependencies linked');
    unpackAndLink(tarballs);
  }
  for (const [name, folder] of LINKED) link(join(root, folder, 'node_modules', name), name);
}

/** Without a registry: the tarballs as they are, and from the workspace only what their package.json declares. */
function unpackAndLink(tarballs: readonly string[]): void {
  for (const [index, { folder, manifest }] of packages.entries()) {
    const target = join(project, 'node_modules', manifest.name);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', tarballs[index] ?? '', '-C', target, '--strip-components=1']);
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    for (const name of declared.filter((other) => !LINKED.has(other) && !other.startsWith('@mcp-tx/'))) {
      link(join(root, folder, 'node_modules', name), name);
    }
  }
}

function link(from: string, name: string): void {
  const to = join(project, 'node_modules', name);
  mkdirSync(dirname(to), { recursive: true });
  if (!existsSync(to)) symlinkSync(from, to);
}

/** `npm test` tells its children about this repository (prefix, lifecycle); an install elsewhere must not hear it. */
function withoutCallersNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = /^npm_(package|lifecycle|command|execpath|node_execpath|config_(local_prefix|prefix|dir))/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name)));
}
