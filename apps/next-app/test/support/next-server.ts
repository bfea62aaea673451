/** Starts a server of Next as a program of its own, and says where it listens and which servers it has started. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const NEXT = join(import.meta.dirname, '..', '..', 'node_modules', 'next', 'dist', 'bin', 'next');

/** A running server. */
export interface NextServer {
  readonly url: string;
  readonly process: ChildProcess;
  /** Ids of the processes below it whose command line contains this. */
  pidsOf(program: string): readonly number[];
  /** Ends it at once, if it has not ended. */
  kill(): Promise<void>;
}

/** Starts `next start` or `next dev` for an app, and waits until it listens. */
export async function startNext(
  mode: 'start' | 'dev',
  folder: string,
  variables: Readonly<Record<string, string>>,
): Promise<NextServer> {
  const NODE_ENV = mode === 'dev' ? ('development' as const) : ('production' as const);
  const env = { ...process.env, ...variables, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV };
  const args = [NEXT, mode, folder, '--port', '0', '--hostname', '127.0.0.1'];
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const url = await urlOf(child);
  return {
    url,
    process: child,
    pidsOf: (program) => below(child.pid ?? 0).filter((pid) => commandOf(pid).includes(program)),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const pids = below(child.pid ?? 0);
      child.kill('SIGKILL');
      for (const pid of pids) stop(pid); // `next dev` has its server in a process below
      await once(child, 'close');
    },
  };
}

async function urlOf(child: ChildProcess): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    const read = (chunk: string): void => {
      text += chunk;
      const [, url] = /Local:\s+(http:\S+)/.exec(text) ?? [];
      if (url !== undefined && text.includes('Ready')) resolve(url);
    };
    child.stdout?.setEncoding('utf8').on('data', read);
    child.stderr?.setEncoding('utf8').on('data', read);
    child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${text}`)));
  });
}

/** All processes below one. */
function below(pid: number): readonly number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...below(child)]);
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

function stop(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
