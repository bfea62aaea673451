/** A server of one's own: started from the binaries of the machine, in a folder that goes with it, and ended by its process id. */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A running server. */
export interface Service extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Its data. */
  readonly folder: string;
  readonly pid: number;
  /** Ends it at once, as a power cut would: nothing is flushed. With `SIGTERM` it ends in its own good order. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts it again on the same port and the same data. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** Where a server of one's own keeps its data. */
export interface ServicePlace {
  /** On a disk, where a sync takes its time: for measurements. Default: in memory, where the machine has a folder there. */
  readonly onDisk?: boolean;
}

/** How a kind of server is started. */
export interface ServiceKind extends ServicePlace {
  readonly name: string;
  /** Finds its main program; `undefined` where it is not installed. */
  readonly program: () => string | undefined;
  /** Debian's package, for the message. */
  readonly debianPackage: string;
  /** Makes what the server needs before its first start. */
  readonly prepare: (folder: string) => void;
  readonly args: (folder: string, port: number) => readonly string[];
  /** Its environment, over that of the test. */
  readonly env?: (folder: string, port: number) => NodeJS.ProcessEnv;
  /** The user that it runs as where the test runs as root, which some servers refuse. */
  readonly user?: string;
  /** Whether the server that listens at the port is ready. */
  readonly isReady: (port: number) => Promise<boolean>;
}

const START_TIMEOUT_MS = 90_000; // on a busy machine RabbitMQ takes ten times its four seconds

/** Starts a server; resolves once it answers. @throws Error that says what to install, or what the server wrote */
export async function startService(kind: ServiceKind): Promise<Service> {
  const program = kind.program() ?? install(kind);
  const folder = mkdtempSync(join(kind.onDisk === true ? tmpdir() : memoryFolder(), `mcp-tx-${kind.name}-`));
  kind.prepare(folder);
  const port = await freePort();
  let child = await launch(kind, program, folder, port);
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    const others = signal === 'SIGKILL' ? childrenOf(child.pid as number) : [];
    child.kill(signal);
    for (const pid of others) killIfThere(pid); // else one of them may still answer before it notices
    await exited;
  };
  const stop = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return {
    host: '127.0.0.1',
    port,
    folder,
    get pid() {
      return child.pid as number;
    },
    kill,
    async restart() {
      child = await launch(kind, program, folder, port);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The processes that a server has made for itself, as PostgreSQL does for each connection; none where Linux does not tell. */
function childrenOf(pid: number): readonly number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(list)) return [];
  return readFileSync(list, 'utf8').split(' ').filter(Boolean).map(Number);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/** In memory where the machine has a folder there: what a server syncs survives its death all the same, and tests are quicker. */
function memoryFolder(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
}

/** The first of these programs that there is; a `*` in a path stands for any one folder, newest last. */
export function findProgram(name: string, ...folders: readonly string[]): string | undefined {
  const onPath = (process.env.PATH ?? '').split(':');
  return [...onPath, ...folders.flatMap(expand)].map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Numbers of a user of this machine, where we may become it. */
export function idsOf(user: string | undefined): { readonly uid: number; readonly gid: number } | undefined {
  if (user === undefined || process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function install({ name, debianPackage, program }: ServiceKind): string {
  const command = `apt-get install -y --no-install-recommends ${debianPackage}`;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    execFileSync('sh', ['-c', `apt-get update -qq && ${command}`], { stdio: 'ignore', timeout: 180_000 });
    const found = program();
    if (found !== undefined) return found;
  }
  throw new Error(`${name} is not installed: run \`${command}\` as root`);
}

async function launch(kind: ServiceKind, program: string, folder: string, port: number): Promise<ChildProcess> {
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < giveUpAt) {
    const child = await launchOnce(kind, program, folder, port, giveUpAt);
    if (child !== undefined) return child;
    await sleep(200); // after a kill, what the former one left behind may have to go first
  }
  const said = readFileSync(join(folder, 'server.log'), 'utf8').slice(-2_000);
  throw new Error(`${kind.name} did not start:\n${said}`);
}

/** `undefined`: it ended, or did not become ready. */
async function launchOnce(
  kind: ServiceKind,
  program: string,
  folder: string,
  port: number,
  giveUpAt: number,
): Promise<ChildProcess | undefined> {
  const lines = createWriteStream(join(folder, 'server.log'), { flags: 'a' });
  const child = spawn(program, kind.args(folder, port), {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: folder,
    env: { ...process.env, ...kind.env?.(folder, port) },
    ...idsOf(kind.user),
  });
  child.stdout?.pipe(lines, { end: false });
  child.stderr?.pipe(lines, { end: false });
  child.once('close', () => lines.end()); // what it said last comes after its exit
  while (performance.now() < giveUpAt && child.exitCode === null) {
    if ((await listens(port)) && (await kind.isReady(port))) return child;
    await sleep(30);
  }
  child.kill('SIGKILL');
  return undefined;
}

/** Whether somebody takes connections at this port of loopback. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function expand(pattern: string): readonly string[] {
  const [before, after] = pattern.split('/*/');
  if (after === undefined || before === undefined || !existsSync(before)) return [pattern];
  return readdirSync(before)
    .sort((a, b) => Number(b) - Number(a))
    .map((name) => join(before, name, after));
}
