/** How the two real servers are started: as they are, or behind the proxy that makes them fail. */
import { join } from 'node:path';
import type { FaultPlan, ProxyFault } from '@mcp-tx/testing/faulty-server';
import { faultProxy, readProxyFaults } from '@mcp-tx/testing/faulty-server';
import type { Command } from 'shop';
import { filesystemCommand, paymentLogPath, paymentsCommand } from 'shop';
import type { ServerName } from './work/lane.ts';
import { ticketFolder } from './work/tickets.ts';

/** How long the payments server takes for a charge, ms. */
const CHARGE_MS = 40;

/** The command of a server, working on the files in `folder`; with a plan it suffers faults. */
export function serverCommand(server: ServerName, folder: string, plan?: FaultPlan): Command {
  const real =
    server === 'payments'
      ? paymentsCommand({ logPath: paymentLogPath(folder), chargeMs: CHARGE_MS })
      : filesystemCommand(ticketFolder(folder));
  return plan === undefined ? real : faultProxy({ ...real, plan, log: faultLogPath(server, folder) });
}

/** What the proxy in front of a server has really injected. */
export function injectedFaults(server: ServerName, folder: string): readonly ProxyFault[] {
  return readProxyFaults(faultLogPath(server, folder));
}

function faultLogPath(server: ServerName, folder: string): string {
  return join(folder, `faults-${server}.jsonl`);
}
