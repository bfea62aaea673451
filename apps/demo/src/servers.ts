/** How the two real servers are started: as they are, or behind the proxy that makes them fail. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FaultPlan, ProxyFault } from '@mcp-tx/testing/faulty-server';
import { faultProxy, readProxyFaults } from '@mcp-tx/testing/faulty-server';
import { paymentLogPath } from './work/charges.ts';
import type { ServerName } from './work/lane.ts';
import { ticketFolder } from './work/tickets.ts';

/** What a stdio transport needs to start a server. */
export interface Command {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

/** Where Node keeps compiled code by default, once told to: every start but the first takes half the time. */
export const FASTER_STARTS = {
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'node-compile-cache'),
};

/** The command of a server, working on the files in `folder`; with a plan it suffers faults. */
export function serverCommand(server: ServerName, folder: string, plan?: FaultPlan): Command {
  const real = { command: process.execPath, args: programOf(server, folder), env: FASTER_STARTS };
  return plan === undefined ? real : faultProxy({ ...real, plan, log: faultLogPath(server, folder) });
}

/** What the proxy in front of a server has really injected. */
export function injectedFaults(server: ServerName, folder: string): readonly ProxyFault[] {
  return readProxyFaults(faultLogPath(server, folder));
}

function programOf(server: ServerName, folder: string): string[] {
  if (server === 'payments') {
    return [fileURLToPath(new URL('./payments-server.ts', import.meta.url)), paymentLogPath(folder)];
  }
  const program = import.meta.resolve('@modelcontextprotocol/server-filesystem/dist/index.js');
  return [fileURLToPath(program), ticketFolder(folder)];
}

function faultLogPath(server: ServerName, folder: string): string {
  return join(folder, `faults-${server}.jsonl`);
}
