import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startRabbitmq } from '@mcp-tx/testing/services';
import { afterAll, describe, expect, it } from 'vitest';
import { sceneOn, until } from './support/scene.ts';

const service = await startRabbitmq();
afterAll(() => service.stop());

const FOLDERS = new Set<string>();
afterAll(() => {
  for (const folder of FOLDERS) rmSync(folder, { recursive: true, force: true });
});

// The last test ends the broker, so they keep their order.
describe('a broker', { shuffle: false }, () => {
  it('T22: a broker that is stopped and started while much is put there loses nothing that it confirmed, and nobody hangs', async () => {
    await using scene = await sceneOn(service);
    const client = scene.client({ confirmTimeoutMs: 20_000 });
    await client.initialize();
    const ends = new Map<string, string>();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < 2_000) {
        const key = String(next++);
        const put = client.enqueue('pay', { orderId: key }, { idempotencyKey: key });
        ends.set(
          key,
          await put.then(
            () => 'confirmed',
            (error) => `${error.code} ${error.execution} ${error.retryable}`,
          ),
        );
      }
    };
    const lanes = Array.from({ length: 50 }, lane);
    await until('some are there', () => ends.size > 300);
    await service.kill('SIGTERM');
    await service.restart();
    await Promise.all(lanes);
    expect(ends.size).toBe(2_000);
    const said = new Set(ends.values());
    expect(said.has('confirmed')).toBe(true);
    said.delete('confirmed');
    for (const one of said) expect(one).toMatch(/^QUEUE_UNAVAILABLE (none|unknown) true$/);
    const ids = new Map<string, Set<string>>();
    for (const { content, properties } of await scene.eyes.drain(scene.where.requests)) {
      const { idempotencyKey } = JSON.parse(content.toString());
      ids.set(idempotencyKey, (ids.get(idempotencyKey) ?? new Set()).add(properties.messageId));
    }
    for (const [key, end] of ends) if (end === 'confirmed') expect(ids.has(key), key).toBe(true);
    for (const [key, of] of ids) expect(of.size, key).toBe(1);
  }, 40_000);

  it('T45: three workers killed in the middle of a call have one effect, and the job gets its reply', async () => {
    // The first three answers vanish, so that each of the three is still waiting for one when it is killed.
    await using scene = await sceneOn(service, {
      server: { aware: true, script: Array(3).fill({ fault: 'drop-response' }) },
    });
    const client = scene.client();
    const replies: string[] = [];
    const stop = await client.readReplies((reply) => void replies.push(reply.ok ? 'ok' : reply.error.code));
    const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-rabbitmq-'));
    FOLDERS.add(folder);
    const told = { ...scene.where, server: scene.faulty.url, ledger: join(folder, 'ledger.db') };
    await client.enqueue('pay', { orderId: 'a' }, { reply: true });
    for (let kills = 0; kills < 4; kills += 1) {
      const worker = spawnWorker(told);
      await once(createInterface({ input: worker.stdout }), 'line');
      if (kills < 3) await until('a call', () => scene.arrivals() > kills);
      else await until('the reply', () => replies.length > 0, 10_000);
      worker.kill('SIGKILL');
      await once(worker, 'exit');
    }
    await stop();
    expect([scene.paid('a'), replies]).toEqual([1, ['ok']]);
    expect(await scene.eyes.ready(scene.dead)).toBe(0);
  }, 40_000);

  it('a broker of the tests’ own takes all of its processes with it', async () => {
    await service.stop();
    expect(existsSync(service.folder)).toBe(false);
    const left = () =>
      readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && environmentOf(pid).includes(service.folder));
    await until('none is left', () => left().length === 0);
  });
});

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return ''; // it has ended, or is not ours
  }
}

function spawnWorker(told: object) {
  const script = fileURLToPath(new URL('./programs/worker-process.ts', import.meta.url));
  const args = ['--conditions=mcp-tx:source', script, JSON.stringify(told)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}
