/** Owns the launching of the fault proxy: it turns the command of a real stdio server into the same server behind faults. */
import type { FaultPlan } from './fault-proxy/plan.ts';
import { checkPlan } from './fault-proxy/plan.ts';
import type { ProxyFault } from './fault-proxy/proxy-log.ts';
import { readProxyFaults } from './fault-proxy/proxy-log.ts';
import type { StdioCommand } from './faulty-server/executable.ts';
import { executablePath, nodeCommand } from './faulty-server/executable.ts';
import { temporaryLog } from './faulty-server/temporary-log.ts';

/** What to put behind the proxy, and how it is to suffer. */
export interface FaultProxyOptions {
  readonly plan: FaultPlan;
  /** The real server. */
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Path of the log of injected faults; default: a new file in the temporary folder. */
  readonly log?: string;
  /** Path of the file with the call counter; default: beside the log. Proxies that share it share the count, one at a time. */
  readonly state?: string;
}

/** A real server behind the proxy, to be started by a transport, as often as it likes. */
export interface FaultProxy extends StdioCommand {
  readonly log: string;
  /** Which faults were really injected so far. */
  faults(): readonly ProxyFault[];
}

/**
 * Puts a real stdio server behind the fault proxy. Nothing runs yet: hand the value to a stdio transport.
 *
 * @example
 * const server = faultProxy({ plan: { seed: 1, rates: { 'kill-after': 0.1 } }, command: 'node', args: ['payments.mjs'] });
 * await client.connect(new StdioClientTransport(server));
 * @throws TypeError when the plan is wrong.
 */
export function faultProxy(options: FaultProxyOptions): FaultProxy {
  const {
    plan,
    command,
    args = [],
    env = {},
    log = temporaryLog('proxy-faults.jsonl'),
    state = `${log}.state`,
  } = options;
  const own = [`--plan=${JSON.stringify(checkPlan(plan))}`, `--log=${log}`, `--state=${state}`];
  const start = nodeCommand(executablePath(import.meta.url, './fault-proxy/main'), [...own, '--', command, ...args]);
  return { ...start, env: { ...start.env, ...env }, log, faults: () => readProxyFaults(log) };
}
