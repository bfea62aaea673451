/** Starts the whole shop by one command: a private Redis, the front that takes orders, and the worker that charges them. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startRedis } from '@mcp-tx/testing/services';

const redis = process.env.REDIS_URL === undefined ? await startRedis() : undefined;
const env = { ...process.env, REDIS_URL: process.env.REDIS_URL ?? `redis://127.0.0.1:${redis?.port}` };
const children = new Map<string, ChildProcess>();
let isClosing = false;

/** Keeps a program running until the shop closes: a worker that is killed is started again. */
function keep(name: string): void {
  const script = join(import.meta.dirname, `${name}.ts`);
  const child = spawn(process.execPath, [...process.execArgv, script], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.set(name, child);
  child.once('exit', (code, signal) => {
    if (isClosing) return;
    console.log(`the ${name} has ended (${signal ?? code}) and is started again`);
    setTimeout(() => keep(name), 500);
  });
}

async function close(): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  const left = [...children.values()].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const gone = left.map((child) => once(child, 'exit'));
  for (const child of left) child.kill('SIGTERM'); // after Ctrl-C they have heard it already
  await Promise.all(gone);
  await redis?.stop();
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void close());
keep('worker');
keep('front');
