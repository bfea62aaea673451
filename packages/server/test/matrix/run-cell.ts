// Runs all faults of one cell against real processes and tells what was found.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpTx } from '@mcp-tx/core';
import type { Bench } from './bench.ts';
import { benchIn, newFolder, removeFolder } from './bench.ts';
import type { Cell, Fault } from './cells.ts';
import { open, program } from './connect.ts';
import type { Told } from './told.ts';
import { call } from './told.ts';

export interface Found {
  readonly fault: Fault;
  readonly injected: boolean;
  readonly effects: number;
  /** What every caller of the order was told. */
  readonly told: readonly Told[];
}

/** In memory these take the client along, so that they are tried in a process of their own. */
const OF_THE_PROCESS: readonly Fault[] = ['killed-answering', 'killed-before', 'killed-after'];

export async function runCell(cell: Cell): Promise<readonly Found[]> {
  const folder = newFolder();
  const bench = benchIn(folder);
  const server = cell.transport === 'HTTP' ? await keepUp(cell, folder) : undefined;
  try {
    const [one, other] = await Promise.all([open(cell, bench, server?.url), open(cell, bench, server?.url)]);
    try {
      const found: Found[] = [];
      found.push(await callDropped(bench, one, other), await callConcurrently(bench, one, other));
      found.push(await callTwice(bench, 'late-duplicate', one, other));
      if (cell.transport === 'in-memory') return [...found, ...(await killBoth(cell, bench))];
      for (const fault of OF_THE_PROCESS) found.push(await callTwice(bench, fault, one, other));
      found.push(await killClient(cell, bench, server?.url));
      return found;
    } finally {
      await Promise.all([one.close({ graceMs: 0 }), other.close({ graceMs: 0 })]);
    }
  } finally {
    await server?.end();
    removeFolder(folder);
  }
}

function found(bench: Bench, fault: Fault, told: readonly Told[], isInjected?: boolean): Found {
  const injected = isInjected ?? bench.injected().includes(fault);
  return { fault, injected, effects: bench.effectsOf(fault), told };
}

/** The second caller has a ledger of its own: for the server, a duplicate that comes late. */
async function callTwice(bench: Bench, fault: Fault, one: McpTx, other: McpTx): Promise<Found> {
  return found(bench, fault, [await call(one, fault), await call(other, fault)]);
}

async function callDropped(bench: Bench, one: McpTx, other: McpTx): Promise<Found> {
  const seen = await callTwice(bench, 'response-dropped', one, other);
  return { ...seen, injected: seen.injected && (seen.told[0]?.attempts ?? 0) > 1 };
}

async function callConcurrently(bench: Bench, one: McpTx, other: McpTx): Promise<Found> {
  const told = await Promise.all([call(one, 'concurrent'), call(other, 'concurrent')]);
  return found(
    bench,
    'concurrent',
    told,
    told.every(({ attempts }) => attempts > 0),
  );
}

/** Each fault kills a process with server and client in it; a last one goes on with all that they left. */
async function killBoth(cell: Cell, bench: Bench): Promise<readonly Found[]> {
  const deaths = await Promise.all(OF_THE_PROCESS.map((fault) => runClient(cell, bench, fault, undefined).ended));
  const ofClient = await killAfterEffect(cell, bench, undefined);
  const faults = [...OF_THE_PROCESS, 'client-killed'] as const;
  const signals = [...deaths.map(({ signal }) => signal), ofClient];
  const told = await toldBy(cell, bench, faults, undefined);
  return faults.map((fault, n) => {
    const isMarked = fault === 'client-killed' || bench.injected().includes(fault);
    return found(bench, fault, [told[n] as Told], isMarked && signals[n] === 'SIGKILL');
  });
}

async function killClient(cell: Cell, bench: Bench, url: string | undefined): Promise<Found> {
  const signal = await killAfterEffect(cell, bench, url);
  return found(bench, 'client-killed', await toldBy(cell, bench, ['client-killed'], url), signal === 'SIGKILL');
}

async function killAfterEffect(cell: Cell, bench: Bench, url: string | undefined): Promise<NodeJS.Signals | null> {
  const { child, ended } = runClient(cell, bench, 'client-killed', url);
  while (bench.effectsOf('client-killed') === 0 && child.exitCode === null) await sleep(10);
  child.kill('SIGKILL');
  return (await ended).signal;
}

async function toldBy(cell: Cell, bench: Bench, faults: readonly Fault[], url: string | undefined): Promise<Told[]> {
  const { text } = await runClient(cell, bench, faults.join(','), url).ended;
  return JSON.parse(text) as Told[];
}

function runClient(cell: Cell, bench: Bench, orders: string, url: string | undefined) {
  const given = [JSON.stringify(cell), bench.folder, orders, ...(url === undefined ? [] : [url])];
  const { command, args, env } = program('matrix-client.ts', given);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const ended = new Promise<{ readonly signal: NodeJS.Signals | null; readonly text: string }>((resolve) =>
    child.once('close', (_code, signal) => resolve({ signal, text })),
  );
  return { child, ended };
}

/** An HTTP server that is started again, at the same port, whenever it dies. */
async function keepUp(cell: Cell, folder: string): Promise<{ readonly url: string; end(): Promise<void> }> {
  const port = await freePort();
  const { command, args, env } = program('matrix-server.ts', [cell.server, folder, String(port)]);
  let isEnding = false;
  const start = () => spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  let child = start();
  const keep = (): void => {
    child.once('exit', () => {
      if (isEnding) return;
      child = start();
      keep();
    });
  };
  keep();
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async end() {
      isEnding = true;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
