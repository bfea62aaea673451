/** Owns the launching of the faulty HTTP server from a test: inside the test's own process, or as one that can be killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Effect } from '../effect-log.ts';
import { readEffectLog } from '../effect-log.ts';
import { executablePath, nodeCommand } from './executable.ts';
import type { FaultReport } from './fault-log.ts';
import { readFaults } from './fault-log.ts';
import { listenFaulty } from './http-server.ts';
import type { Script } from './script.ts';
import { placeSteps } from './script.ts';
import type { HttpMode } from './server-options.ts';
import { toArguments } from './server-options.ts';
import { temporaryLog } from './temporary-log.ts';

/** How the faulty HTTP server is to behave. */
export interface FaultyHttpOptions {
  /** Steps of faults; without one the server is healthy. */
  readonly script?: Script;
  /** Path of the effect log; default: a new file in the temporary folder. */
  readonly effectLog?: string;
  /** Path of the faults log; default: beside the effect log. */
  readonly faultsLog?: string;
  /** Dedupe by MCP-Tx metadata and announce it; what it knows survives a restart. */
  readonly aware?: boolean;
  /** Listen here; default: any free port. */
  readonly port?: number;
  /** Answer with JSON bodies instead of event streams. */
  readonly json?: boolean;
  /** Be no working MCP server at all. */
  readonly mode?: HttpMode;
}

/** A running faulty HTTP server. */
export interface FaultyHttp extends AsyncDisposable {
  /** Where a client connects to. */
  readonly url: string;
  readonly port: number;
  readonly effectLog: string;
  readonly faultsLog: string;
  /** What really happened so far. */
  effects(): readonly Effect[];
  /** Which calls arrived and which faults were really injected so far. */
  faults(): FaultReport;
  /** Ends it at once; nothing that is still open gets an answer. */
  close(): Promise<void>;
}

/** A faulty HTTP server inside this process. */
export interface FaultyHttpServer extends FaultyHttp {
  /** Forgets all sessions, as a restart would. */
  expireSessions(): void;
  /** How many sessions it knows. */
  readonly sessions: number;
  /** How many requests were refused because they came for a session that it does not know any more. */
  readonly staleRequests: number;
}

/** A faulty HTTP server in a process of its own. */
export interface FaultyHttpProcess extends FaultyHttp {
  readonly pid: number;
  /** Sends a signal, SIGKILL unless said, and settles when the process is gone, or at once for a signal that does not end it. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a faulty HTTP server inside this process, on the loopback interface.
 *
 * @example
 * await using server = await startFaultyHttpServer({ script: [{ tool: 'pay', fault: 'cut-sse' }] });
 * await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
 * @throws TypeError when the script is wrong, or wants to end the process: that takes `spawnFaultyHttpServer`.
 */
export async function startFaultyHttpServer(options: FaultyHttpOptions = {}): Promise<FaultyHttpServer> {
  const { effectLog, faultsLog } = withLogs(options);
  const deadly = placeSteps(options.script ?? [], 'http').find(({ fault }) => fault.kind.startsWith('exit-'));
  if (deadly !== undefined)
    throw new TypeError(`step ${deadly.index}: ${deadly.fault.kind} would end this very process`);
  const server = await listenFaulty({ ...options, effectLog, faultsLog });
  const { port, sessions, close } = server;
  return {
    ...handleOf(port, effectLog, faultsLog, close),
    faults: () => server.recorder.report(),
    expireSessions: () => sessions.forget(),
    get sessions() {
      return sessions.size;
    },
    get staleRequests() {
      return sessions.staleRequests;
    },
  };
}

/**
 * Starts a faulty HTTP server as a process of its own; it ends with this one. Started again with the same effect log it
 * counts calls on, and on the same port it is the same server to its clients, but for their sessions.
 */
export async function spawnFaultyHttpServer(options: FaultyHttpOptions = {}): Promise<FaultyHttpProcess> {
  const { effectLog, faultsLog } = withLogs(options);
  placeSteps(options.script ?? [], 'http');
  const told = { ...options, effectLog, faultsLog, state: `${effectLog}.state`, exitWithParent: true };
  const { command, args, env } = nodeCommand(executablePath(import.meta.url, './http-main'), toArguments(told));
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const ended = gone.then(() => ['it ended']);
  const [said] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [string];
  const port = Number(said);
  if (!(port > 0)) throw new Error(`the faulty HTTP server did not start: ${said}`);
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await gone;
  };
  return { ...handleOf(port, effectLog, faultsLog, () => kill()), pid: child.pid ?? 0, kill };
}

function withLogs({
  effectLog = temporaryLog('effects.jsonl'),
  faultsLog = `${effectLog}.faults`,
}: FaultyHttpOptions): {
  readonly effectLog: string;
  readonly faultsLog: string;
} {
  return { effectLog, faultsLog };
}

function handleOf(port: number, effectLog: string, faultsLog: string, close: () => Promise<void>): FaultyHttp {
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    effectLog,
    faultsLog,
    effects: () => readEffectLog(effectLog),
    faults: () => readFaults(faultsLog),
    close,
    [Symbol.asyncDispose]: close,
  };
}
