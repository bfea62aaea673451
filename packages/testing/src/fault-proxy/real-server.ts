/** Owns the real server's process: its pipes, its death in all forms, and that it is never left behind. */
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

const CLOSE_GRACE_MS = 1500;
const TERM_GRACE_MS = 500;
const LAST_OUTPUT_MS = 300;

/** The real server behind the proxy. */
export interface RealServer {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when the process is gone and its last output was read, with what its parent should exit with. */
  readonly gone: Promise<number>;
  /** `kill -9` of the server and everything it started. */
  kill(): void;
  /** Sends a signal and makes sure that it ends. */
  terminate(signal: NodeJS.Signals): void;
  /** Closes its stdin, as a client does, and makes sure that it ends. */
  end(): void;
}

/** Starts the server as the leader of a process group of its own, so that a wrapper such as npx dies with what it wraps. */
export function startRealServer(command: string, args: readonly string[]): RealServer {
  const child = spawn(command, args, { shell: false, detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = exitCodeOf(child, command);
  const send = (signal: NodeJS.Signals): void => signalGroup(child.pid, signal);
  child.stdin.on('error', () => undefined);
  process.once('exit', () => send('SIGKILL'));
  const terminate = (signal: NodeJS.Signals): void => {
    send(signal);
    setTimeout(() => send('SIGKILL'), TERM_GRACE_MS).unref();
  };
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    gone,
    kill: () => send('SIGKILL'),
    terminate,
    end() {
      child.stdin.end();
      setTimeout(() => terminate('SIGTERM'), CLOSE_GRACE_MS).unref();
    },
  };
}

function exitCodeOf(child: ChildProcessByStdio<Writable, Readable, null>, command: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('error', (error) => {
    process.stderr.write(`fault-proxy: cannot start ${command}: ${error.message}\n`);
    resolve(127);
  });
  child.once('close', (code) => resolve(code ?? 1));
  // A daemon that the server left behind may hold the pipe for ever.
  child.once('exit', (code) => setTimeout(() => resolve(code ?? 1), LAST_OUTPUT_MS));
  return promise;
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group is gone already.
  }
}
