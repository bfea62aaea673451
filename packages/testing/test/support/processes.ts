/** Owns the processes that a test starts by itself: none outlives its test. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Starts a process that is killed when the test's scope ends, in whatever way. */
export function start(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams & Disposable {
  const child = spawn(command, args, { env: { ...process.env, ...env } });
  return Object.assign(child, { [Symbol.dispose]: () => void child.kill('SIGKILL') });
}

/** Whether the process runs; one that ended and was not yet collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
