// Next.js, built and started: one server for all cases, with a host of its own for each.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { HttpHostFixture } from '@mcp-tx/testing/http-contract';

const APP = join(import.meta.dirname, 'next-app');
const NEXT = join(import.meta.dirname, '..', '..', 'node_modules', 'next', 'dist', 'bin', 'next');
const EXIT_WITH_PARENT = pathToFileURL(join(import.meta.dirname, 'exit-with-parent.ts')).href;

let starting: Promise<string> | undefined;

export const nextHost: HttpHostFixture = {
  can: ['raw-body', 'stream', 'disconnect', 'socket', 'drain'],
  async start(profile) {
    const server = await startNext();
    const name = Buffer.from(JSON.stringify(profile)).toString('base64url');
    await control(server, { open: name });
    return { url: `${server}/hosts/${name}`, close: () => control(server, { close: name }) };
  },
};

/** Builds and starts the server, once. It ends with this process. */
export function startNext(): Promise<string> {
  starting ??= buildAndStart();
  return starting;
}

async function control(server: string, order: object): Promise<void> {
  const answer = await fetch(`${server}/control`, { method: 'POST', body: JSON.stringify(order) });
  if (!answer.ok) throw new Error(await answer.text());
}

async function buildAndStart(): Promise<string> {
  const env = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1', NODE_OPTIONS: '' };
  // Next takes the packages as a user's app does, from their dist.
  runToEnd('turbo', ['run', 'build', '--filter=attack^...', '--output-logs=errors-only'], env);
  runToEnd(process.execPath, [NEXT, 'build', APP], env);
  const args = ['--import', EXIT_WITH_PARENT, NEXT, 'start', APP, '--port', '0', '--hostname', '127.0.0.1'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  child.unref();
  child.channel?.unref();
  const url = new Promise<string>((resolve, reject) => {
    let text = '';
    const read = (chunk: string): void => {
      text += chunk;
      const [, address] = /Local:\s+(http:\S+)/.exec(text) ?? [];
      if (address !== undefined && text.includes('Ready')) resolve(address);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', read);
    child.once('exit', (code) => reject(new Error(`next start ended with ${code}: ${text}`)));
  });
  for (const stream of [child.stdout, child.stderr]) (stream as { unref?(): void } | null)?.unref?.();
  return url;
}

function runToEnd(command: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: import.meta.dirname,
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error ?? ''}${stdout}${stderr}`);
}
