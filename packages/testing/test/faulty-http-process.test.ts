/** Proves that the HTTP server can be killed like the real thing, comes back on its port, and does not outlive its parent. */
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { spawnFaultyHttpServer } from '../src/faulty-server.ts';
import { openHttp } from './support/http-session.ts';
import { isAlive, start } from './support/processes.ts';
import { PATIENCE_MS } from './support/session.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

const DEATHS = [
  { kind: 'exit-before', how: 'kill', effects: 0 },
  { kind: 'exit-after', how: 'exit', effects: 1 },
] as const;

test.concurrent.for(DEATHS)('$kind by $how, and another life on the same port', async ({ kind, how, effects }) => {
  await using first = await spawnFaultyHttpServer({ script: [{ tool: 'pay', fault: { kind, how } }] });
  await using session = await openHttp(first);
  expect(await session.fail('pay', { orderId: 'a' })).toMatchObject({ type: 'TypeError', message: 'fetch failed' });
  expect(first.effects()).toHaveLength(effects);
  // A connection of before may be heard of once more, as reset, until all of them are known to be gone.
  const refused = () => expect(openHttp(first)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  await vi.waitFor(refused, PATIENCE_MS);

  const { port, effectLog } = first;
  await using second = await spawnFaultyHttpServer({
    script: [{ tool: 'pay', fault: { kind, how } }],
    port,
    effectLog,
  });
  expect(await session.fail('pay', { orderId: 'a' })).toMatchObject({ code: 404 });
  await using fresh = await openHttp(second);
  await fresh.call('pay', { orderId: 'a' });
  expect(second.effects()).toHaveLength(effects + 1);
  expect(second.faults().counts).toEqual({ [kind]: 1 });
});

test.concurrent('kill takes the process away, and close does so too', async () => {
  await using one = await spawnFaultyHttpServer();
  await one.kill('SIGTERM');
  expect(isAlive(one.pid)).toBe(false);
  const other = await spawnFaultyHttpServer({ json: true, aware: true });
  await other.close();
  await other.close();
  expect(isAlive(other.pid)).toBe(false);
});

test.concurrent('it ends with its parent', async () => {
  const face = new URL('../src/faulty-server.ts', import.meta.url).href;
  const program = `import { spawnFaultyHttpServer } from ${JSON.stringify(face)};
    console.log((await spawnFaultyHttpServer()).pid);`;
  using parent = start(process.execPath, ['--input-type=module', '--eval', program]);
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), PATIENCE_MS);
});

test.concurrent('a port that is taken is an error, not a hang', async () => {
  await using one = await spawnFaultyHttpServer();
  await expect(spawnFaultyHttpServer({ port: one.port })).rejects.toThrow('did not start: listen EADDRINUSE');
});
