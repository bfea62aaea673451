#!/usr/bin/env node
/** The fault proxy as an executable: `node main.ts --plan <json or path> [--log <path>] [--state <path>] -- <command> <args…>`. */
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { createLineSplitter } from './line-splitter.ts';
import type { FaultPlan } from './plan.ts';
import { checkPlan } from './plan.ts';
import { openProxyLog } from './proxy-log.ts';
import { createSchedule } from './proxy-state.ts';
import { startRealServer } from './real-server.ts';
import { Relay } from './relay.ts';

const text = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  options: { plan: text, log: text, state: text },
  allowPositionals: true,
});
const [command, ...args] = positionals;
if (command === undefined || values.plan === undefined) {
  process.stderr.write(
    'usage: fault-proxy --plan <json or path> [--log <path>] [--state <path>] -- <command> <args>\n',
  );
  process.exit(2);
}

const schedule = createSchedule(loadPlan(values.plan), values.state);
const log = openProxyLog(values.log);
const server = startRealServer(command, args);
const relay = new Relay({
  schedule,
  log,
  toServer: (line) => pass(line, process.stdin, server.stdin),
  toClient: (line) => pass(line, server.stdout, process.stdout),
  kill: () => server.kill(),
});
process.stdin.on(
  'data',
  createLineSplitter((line) => relay.fromClient(line)),
);
server.stdout.on(
  'data',
  createLineSplitter((line) => relay.fromServer(line)),
);
process.stdin.once('end', () => server.end());
process.stdout.on('error', () => {
  server.stdout.resume(); // Nobody reads any more: what still comes must not keep the server's pipe open.
  server.terminate('SIGTERM');
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => server.terminate(signal));
const code = await server.gone;
process.stdout.write('', () => process.exit(code));

function loadPlan(source: string): FaultPlan {
  const json = source.trimStart().startsWith('{') ? source : readFileSync(source, 'utf8');
  return checkPlan(JSON.parse(json) as FaultPlan);
}

function pass(line: Buffer, from: Readable, to: Writable): void {
  if (!to.writable || to.write(line)) return;
  from.pause();
  to.once('drain', () => from.resume());
}
