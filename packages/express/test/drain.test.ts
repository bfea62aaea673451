import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { expect, it } from 'vitest';
import { drain } from '../src/index.ts';
import { listen } from './support/app.ts';

const program = fileURLToPath(new URL('./programs/draining-app.ts', import.meta.url));

it('after SIGTERM the call under way is answered, idle clients are let go, and the process is gone within a second', async () => {
  const args = ['--conditions=mcp-tx:source', '--disable-warning=ExperimentalWarning', program];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(createInterface(child.stdout), 'line')) as [string];
  const agent = new Agent({ keepAlive: true });
  const [idle] = (await once(get(`http://127.0.0.1:${port}/hello`, { agent }), 'response')) as [NodeJS.ReadableStream];
  idle.resume();
  await once(idle, 'end');
  const calling = fetch(`http://127.0.0.1:${port}/mcp/execute/slow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
    body: JSON.stringify({ arguments: { ms: 500, orderId: 'a' } }),
  });
  await sleep(200);
  const startedAt = performance.now();
  child.kill('SIGTERM');
  const exited = once(child, 'exit');
  const answer = await calling;
  expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
  expect(await exited).toEqual([0, null]);
  expect(performance.now() - startedAt).toBeLessThan(1_500); // a second, and something for a busy machine
  agent.destroy();
}, 20_000);

it('a request that never ends is cut off after the grace, and what has to be closed is closed', async () => {
  const closed: unknown[] = [];
  const { server, url } = await listen(express().get('/', () => undefined));
  const asking = fetch(url).then(
    () => 'answered',
    () => 'cut off',
  );
  await sleep(100);
  const end = drain(server, {
    graceMs: 100,
    close: [{ close: async (options) => void closed.push(options) }],
  });
  const [first, second] = [end(), end()];
  expect(first).toBe(second);
  await first;
  expect([await asking, closed]).toEqual(['cut off', [{ graceMs: 100 }]]);
});

it('before it closes it still answers, and keeps no connection', async () => {
  const { server, url } = await listen(express().get('/', (_req, res) => void res.send('here')));
  const ended = drain(server, { beforeCloseMs: 300 })();
  const answer = await fetch(url);
  expect([await answer.text(), answer.headers.get('connection')]).toEqual(['here', 'close']);
  await ended;
  await expect(fetch(url)).rejects.toThrow();
});
