/** Proves that the proxy's processes end together, however the end comes, and that it passes bytes on untouched. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test, vi } from 'vitest';
import type { FaultPlan } from '../src/faulty-server.ts';
import { faultProxy } from '../src/faulty-server.ts';
import { isAlive, start } from './support/processes.ts';
import { PATIENCE_MS } from './support/session.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

const NO_FAULTS: FaultPlan = { seed: 1 };
const CALL = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'pay' } })}\n`;

/** A server that says its process id, and its grandchild's, and then stays whatever happens to its stdin. */
const STUBBORN = `
  const { spawn } = require('node:child_process');
  const child = spawn('sleep', ['60']);
  console.log(process.pid + ' ' + child.pid);
  process.on('SIGTERM', () => {});
  setInterval(() => console.log('still here'), 50);`;

const MIRROR = `process.stdin.pipe(process.stdout)`;
const LEAVES = `process.stdin.once('data', () => process.exit(7))`;

type Proxy = ReturnType<typeof start>;

function startProxy(plan: FaultPlan, program: string): Proxy {
  const { command, args, env } = faultProxy({ plan, command: process.execPath, args: ['--eval', program] });
  return start(command, args, env);
}

const ENDS = [
  { name: 'stdin ends', end: (proxy: Proxy) => proxy.stdin.end() },
  { name: 'SIGTERM', end: (proxy: Proxy) => proxy.kill('SIGTERM') },
  { name: 'SIGINT', end: (proxy: Proxy) => proxy.kill('SIGINT') },
  { name: 'stdout is closed', end: (proxy: Proxy) => proxy.stdout.destroy() },
  { name: 'a fault kills', end: (proxy: Proxy) => proxy.stdin.write(CALL) },
];

test.concurrent.for(ENDS)('when $name, the server and its children are gone', async ({ name, end }) => {
  using proxy = startProxy(name === 'a fault kills' ? { seed: 1, at: { 'kill-before': [1] } } : NO_FAULTS, STUBBORN);
  const [line] = (await once(createInterface(proxy.stdout), 'line')) as [string];
  const pids = line.split(' ').map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  const gone = once(proxy, 'exit');
  end(proxy);
  await gone;
  await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), PATIENCE_MS);
});

test.concurrent('the exit code of the server is its own', async () => {
  using proxy = startProxy(NO_FAULTS, LEAVES);
  proxy.stdin.write('{}\n');
  expect(await once(proxy, 'exit')).toEqual([7, null]);
});

test.concurrent('a command that does not exist is 127, in words', async () => {
  const { command, args } = faultProxy({ plan: NO_FAULTS, command: 'no-such-command' });
  using proxy = start(command, args);
  const [words] = (await once(proxy.stderr, 'data')) as [Buffer];
  expect(String(words)).toContain('cannot start no-such-command');
  expect(await once(proxy, 'exit')).toEqual([127, null]);
});

test.concurrent('bytes pass untouched: long lines, every separator but the newline, and what is not JSON', async () => {
  const lines = [`{"text":"\u2028\u2029\r ü"}\n`, 'not json\n', `${'x'.repeat(3_000_000)}\n`, '\n', CALL];
  using proxy = startProxy(NO_FAULTS, MIRROR);
  const received: Buffer[] = [];
  proxy.stdout.on('data', (chunk: Buffer) => received.push(chunk));
  proxy.stdin.end(lines.join(''));
  await once(proxy, 'close');
  expect(Buffer.concat(received).equals(Buffer.from(lines.join('')))).toBe(true);
});
