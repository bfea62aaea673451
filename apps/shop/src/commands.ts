/** How the two servers of the shop are started: payments, and the catalogue, a folder behind server-filesystem. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PaymentFault } from './payment-fault.ts';
import { faultsText } from './payment-fault.ts';

/** What a stdio transport needs to start a server. */
export interface Command {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

/** What the payments server is told. */
export interface PaymentsStart {
  readonly logPath: string;
  /** How long a charge takes, ms; the money is taken half-way. */
  readonly chargeMs: number;
  readonly faults?: ReadonlyMap<string, PaymentFault>;
}

/** Where Node keeps compiled code by default, once told to: every start but the first takes half the time. */
export const FASTER_STARTS: Readonly<Record<string, string>> = {
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'node-compile-cache'),
};

// Not `new URL(…, import.meta.url)` and not `import.meta.resolve`: Next bundles this file, and takes both for things to bundle, too.
const here = fileURLToPath(import.meta.url);

/** The files that the catalogue consists of. */
export const CATALOGUE_FOLDER: string = join(here, '..', '..', 'catalogue');

/** Starts the payments server. */
export function paymentsCommand({ logPath, chargeMs, faults = new Map() }: PaymentsStart): Command {
  const program = join(here, '..', 'payments-server.ts');
  return { ...node(), args: [program, logPath, String(chargeMs), faultsText(faults)] };
}

/** Starts `@modelcontextprotocol/server-filesystem` over a folder. */
export function filesystemCommand(folder: string): Command {
  const program = join(
    here,
    '..',
    '..',
    'node_modules',
    '@modelcontextprotocol',
    'server-filesystem',
    'dist',
    'index.js',
  );
  return { ...node(), args: [program, folder] };
}

function node(): Pick<Command, 'command' | 'env'> {
  return { command: process.execPath, env: { ...FASTER_STARTS } };
}
