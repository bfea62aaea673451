// The app as a user starts it: one command, a real Redis, a worker that is killed; charges are counted in the payments server's own log.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { paymentLogPath, readCharges } from 'shop';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-worker-app-'));
const lines: string[] = [];
let app: ChildProcess;
let url = '';

beforeAll(async () => {
  const env = {
    ...process.env,
    PORT: '0',
    SHOP_FOLDER: folder,
    SHOP_CHARGE_MS: '100',
    SHOP_FAULTS: '13=crash-after-effect,99=slow',
  };
  const cwd = join(import.meta.dirname, '..');
  app = spawn('pnpm', ['--silent', 'start'], { cwd, stdio: ['ignore', 'pipe', 'inherit'], env, detached: true });
  createInterface({ input: app.stdout as NodeJS.ReadableStream }).on('line', (line) => lines.push(line));
  url = (await said(/^The shop is open at (.+)/))[1] as string;
  await said(/^worker \d+ is at work/);
}, 60_000);

afterAll(() => {
  if (app.exitCode === null && app.pid !== undefined) process.kill(-app.pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Waits for a line on the terminal. */
async function said(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
  for (let n = 0; n < 2_000; n += 1) {
    for (const line of lines.slice(from)) {
      const found = pattern.exec(line);
      if (found !== null) return found;
    }
    await sleep(20);
  }
  throw new Error(`nobody said ${pattern}:\n${lines.join('\n')}`);
}

async function ask(path: string, body?: object) {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${url}${path}`, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function endOf(jobId: unknown) {
  for (let n = 0; n < 600; n += 1) {
    const answer = await ask(`/jobs/${jobId}`);
    if (answer.status !== 202) return answer;
    await sleep(50);
  }
  throw new Error('the job does not end');
}

const chargesOf = (orderId: string) =>
  readCharges(paymentLogPath(folder)).filter((charge) => charge.orderId === orderId);

// The last test ends the app, so they keep their order.
describe('the app', { shuffle: false }, () => {
  it('charges an order once, however often the button is pressed, and tells how it goes', async () => {
    const press = () => ask('/orders/1/charge', { amount: 500 });
    const presses = await Promise.all([press(), press(), press()]);
    expect(presses.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(presses.filter(({ body }) => body.duplicate === false)).toHaveLength(1);
    expect(await endOf(presses[0]?.body.jobId)).toMatchObject({
      status: 200,
      body: { result: { orderId: '1', amount: 500 } },
    });
    expect((await ask('/orders/1/charge', { amount: 700 })).body).toMatchObject({ code: 'KEY_CONFLICT' });
    expect(chargesOf('1')).toHaveLength(1);
    await said(/charge 1 {2}\d\/\d The bank is asked/);
    await said(/charge 1 {2}done/);
  });

  it('hands a result on to the next step', async () => {
    const { body } = await ask('/orders/2/charge-and-list', { amount: 500 });
    expect(await endOf(body.jobId)).toMatchObject({
      status: 200,
      body: { result: { charges: [{ orderId: '2', amount: 500 }] } },
    });
  });

  it('puts aside what nobody knows, and what could never be', async () => {
    const doubt = await ask('/orders/13/charge', { amount: 500 });
    expect(await endOf(doubt.body.jobId)).toMatchObject({ status: 500, body: { code: 'IN_DOUBT', retryable: false } });
    const wrong = await ask('/orders/14/charge', { amount: 'much' });
    expect(await endOf(wrong.body.jobId)).toMatchObject({ status: 422, body: { code: 'ARGUMENTS_INVALID' } });
    const letters = (await ask('/dead-letters')).body as unknown as { problem: { code: string } }[];
    expect(letters.map(({ problem }) => problem.code).sort()).toEqual(['ARGUMENTS_INVALID', 'IN_DOUBT']);
    expect(await ask('/jobs/nothing')).toMatchObject({ status: 404 });
    expect(chargesOf('13')).toHaveLength(1);
  });

  it('charges nothing twice when its worker is killed in the middle of a charge, and ends in order', async () => {
    const pid = Number((await said(/^worker (\d+) is at work/))[1]);
    const from = lines.length;
    const { body } = await ask('/orders/99/charge', { amount: 500 });
    await said(/charge 99 {2}2\/\d/, from);
    process.kill(pid, 'SIGKILL');
    await said(/^worker \d+ is at work/, from);
    const end = await endOf(body.jobId);
    expect(end).toMatchObject({ status: 500, body: { code: 'IN_DOUBT', execution: 'unknown' } });
    expect(chargesOf('99').length).toBeLessThanOrEqual(1);

    const exit = once(app, 'exit');
    process.kill(-(app.pid as number), 'SIGTERM');
    await exit;
  });
});
