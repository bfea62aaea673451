// The app as a user starts it: one command, real HTTP, real servers; the charges are counted in the payments server's own log.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { paymentLogPath, readCharges } from 'shop';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-nest-app-'));
let app: ChildProcess;
let url = '';

beforeAll(async () => {
  const faults = 'order-13=crash-after-effect,order-99=slow';
  app = spawn('pnpm', ['--silent', 'start'], {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PORT: '0', SHOP_FOLDER: folder, SHOP_CHARGE_MS: '100', SHOP_FAULTS: faults },
    detached: true,
  });
  const [line] = (await once(createInterface({ input: app.stdout as NodeJS.ReadableStream }), 'line')) as [string];
  url = line.replace('The shop is open at ', '');
}, 60_000);

afterAll(() => {
  if (app.exitCode === null && app.pid !== undefined) process.kill(-app.pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function ask(path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${url}${path}`, body === undefined ? {} : init);
  const text = await response.text();
  return {
    status: response.status,
    body: /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text,
  };
}

const chargesOf = (orderId: string) =>
  readCharges(paymentLogPath(folder)).filter((charge) => charge.orderId === orderId);

// The last test ends the app, so they keep their order.
describe('the app', { shuffle: false }, () => {
  it('charges an order once, however often the button is pressed', async () => {
    const presses = await Promise.all([1, 2, 3].map(() => ask('/orders/order-1/charge', { amount: 500 })));
    expect(presses.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await ask('/orders/order-1/charge', { amount: 500 })).toMatchObject({ body: { duplicate: true } });
    expect(await ask('/orders/order-1/charge', { amount: 700 })).toMatchObject({
      status: 422,
      body: { code: 'KEY_CONFLICT' },
    });
    expect(chargesOf('order-1')).toHaveLength(1);
  });

  it('reads the catalogue from another server', async () => {
    expect((await ask('/catalogue')).body).toContain('kettle.md');
    expect((await ask('/catalogue/kettle.md')).body).toContain('Kettle');
    expect(await ask('/catalogue/..%2F..%2Fpackage.json')).toMatchObject({
      status: 200,
      body: expect.stringMatching(/denied|outside/i),
    });
  });

  it('says what nobody knows, lists it, and takes an operator’s word for it', async () => {
    const charged = await ask('/orders/order-13/charge', { amount: 500 });
    expect(charged).toMatchObject({ status: 500, body: { code: 'IN_DOUBT', retryable: false } });
    expect(await ask('/orders/order-13/charge', { amount: 500 })).toMatchObject({
      status: 500,
      body: { code: 'IN_DOUBT' },
    });
    const { operationId } = charged.body as { operationId: string };
    expect((await ask('/doubts')).body).toMatchObject([{ operationId, tool: 'charge' }]);
    const word = { outcome: 'completed', by: 'ada', reason: 'it is in the bank’s list' };
    expect(await ask(`/doubts/${operationId}`, word)).toMatchObject({ status: 200, body: { state: 'completed' } });
    expect(await ask(`/doubts/${operationId}`, { ...word, by: '' })).toMatchObject({ status: 400 });
    expect((await ask('/doubts')).body).toEqual([]);
    expect(chargesOf('order-13')).toHaveLength(1);
  });

  it('has the HTTP API of both servers, and health', async () => {
    expect(await ask('/mcp/payments/execute/list_charges', { arguments: { orderId: 'order-1' } })).toMatchObject({
      status: 200,
    });
    expect(await ask('/mcp/catalogue/execute/write_file', {})).toMatchObject({ status: 404 });
    expect(await ask('/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('SIGTERM: the charge under way is answered and recorded, and the process ends', async () => {
    const charging = ask('/orders/order-99/charge', { amount: 500 });
    await expect.poll(() => chargesOf('order-99').length, { timeout: 5_000 }).toBe(1);
    const exited = once(app, 'exit');
    process.kill(app.pid as number, 'SIGTERM');
    expect(await charging).toMatchObject({ status: 200, body: { duplicate: false } });
    const answeredAt = performance.now();
    await exited;
    expect(performance.now() - answeredAt).toBeLessThan(1_000);
    const ledger = sqliteLedger(join(folder, 'ledger.db'));
    const { records } = await ledger.list({ serverName: 'payments', states: ['sent', 'in_doubt', 'claimed'] });
    await ledger.close();
    expect(records).toEqual([]);
  });
});
