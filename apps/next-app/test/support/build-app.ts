/** Builds the app once for all of its tests, where possible with the network cut: whatever the build fetches would make it fail. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/** How the app was built. */
export interface AppBuild {
  /** In a network namespace of its own, which has no way out. */
  readonly networkCut: boolean;
}

declare module 'vitest' {
  export interface ProvidedContext {
    readonly appBuild: AppBuild;
  }
}

const APP = join(import.meta.dirname, '..', '..');
const NEXT = join(APP, 'node_modules', 'next', 'dist', 'bin', 'next');

/** Called by vitest before the tests of this app. */
export function setup(project: TestProject): void {
  run('turbo', ['run', 'build', '--filter=next-app^...', '--output-logs=errors-only']);
  const networkCut = spawnSync('unshare', ['--map-root-user', '--net', 'true']).status === 0;
  const build = [process.execPath, NEXT, 'build'];
  if (networkCut) run('unshare', ['--map-root-user', '--net', ...build]);
  else run(process.execPath, build.slice(1));
  project.provide('appBuild', { networkCut });
}

function run(command: string, args: readonly string[]): void {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' as const };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: APP, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error ?? ''}\n${stdout}${stderr}`);
}
