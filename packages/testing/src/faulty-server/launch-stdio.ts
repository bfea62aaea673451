/** Owns the launching of the faulty stdio server from a test: options in, a command for any stdio transport out. */
import type { Effect } from '../effect-log.ts';
import { readEffectLog } from '../effect-log.ts';
import type { StdioCommand } from './executable.ts';
import { executablePath, nodeCommand } from './executable.ts';
import type { FaultReport } from './fault-log.ts';
import { readFaults } from './fault-log.ts';
import type { Script } from './script.ts';
import { placeSteps } from './script.ts';
import type { StdioMode } from './server-options.ts';
import { toArguments } from './server-options.ts';
import { temporaryLog } from './temporary-log.ts';

/** How the faulty stdio server is to behave. */
export interface FaultyStdioOptions {
  /** Steps of faults; without one the server is healthy. */
  readonly script?: Script;
  /** Path of the effect log; default: a new file in the temporary folder. Two servers that share it share their effects. */
  readonly effectLog?: string;
  /** Path of the faults log; default: beside the effect log. */
  readonly faultsLog?: string;
  /** Dedupe by MCP-Tx metadata and announce it; what it knows survives a restart. */
  readonly aware?: boolean;
  /** Fail already when the client connects. */
  readonly mode?: StdioMode;
  /** Let the script start anew whenever the process does; by default a respawned server counts calls on. */
  readonly forgetful?: boolean;
}

/** A faulty stdio server to be started by a transport, as often as it likes. */
export interface FaultyStdio extends StdioCommand {
  readonly effectLog: string;
  readonly faultsLog: string;
  /** What really happened so far. */
  effects(): readonly Effect[];
  /** Which faults were really injected so far. */
  faults(): FaultReport;
}

/**
 * Prepares a faulty stdio server. Nothing runs yet: hand the value to a stdio transport.
 *
 * @example
 * const server = faultyStdio({ script: [{ tool: 'pay', fault: 'drop-response' }] });
 * await client.connect(new StdioClientTransport(server));
 * @throws TypeError when the script is wrong.
 */
export function faultyStdio(options: FaultyStdioOptions = {}): FaultyStdio {
  const { script = [], effectLog = temporaryLog('effects.jsonl'), faultsLog = `${effectLog}.faults`, mode } = options;
  placeSteps(script, 'stdio');
  const args = toArguments({
    script,
    effectLog,
    faultsLog,
    aware: options.aware ?? false,
    ...(options.forgetful ? {} : { state: `${effectLog}.state` }),
    ...(mode === undefined ? {} : { mode }),
  });
  return {
    ...nodeCommand(executablePath(import.meta.url, './stdio-main'), args),
    effectLog,
    faultsLog,
    effects: () => readEffectLog(effectLog),
    faults: () => readFaults(faultsLog),
  };
}
