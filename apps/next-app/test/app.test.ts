/** Proves over real HTTP that the built app keeps its promises, that it was built without a network, and that it ends well. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecuteResponse, ProblemDetails } from '@mcp-tx/core/http';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { startNext } from './support/next-server.ts';
import type { ShopApp } from './support/shop-app.ts';
import { startApp } from './support/shop-app.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const FAULTS = 'order-13=crash-after-effect,order-14=crash-before-effect';

const LIST = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"arguments":{"orderId":"order-0"}}',
};

let app: ShopApp;
beforeAll(async () => {
  app = await startApp({ faults: FAULTS });
});
afterAll(() => app[Symbol.asyncDispose]());

const execute = (path: string, args: object, headers: Record<string, string> = {}) =>
  fetch(`${app.url}/api/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ arguments: args }),
  });
const charge = (orderId: string, headers: Record<string, string> = {}) =>
  execute(
    'payments/execute/charge',
    { orderId, amount: 1_290 },
    { 'idempotency-key': `charge:${orderId}`, ...headers },
  );

it('was built with the network cut', ({ skip }) => {
  const { networkCut } = inject('appBuild');
  if (!networkCut) skip('this machine does not let a process cut its network: unshare --net fails');
  expect(networkCut).toBe(true);
});

it('starts one payments server for fifty who come first at the same time, and keeps it', async () => {
  await using own = await startApp({ chargeMs: 20 });
  const list = () => fetch(`${own.url}/api/payments/execute/list_charges`, LIST);
  const answers = await Promise.all(Array.from({ length: 50 }, list));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
  const pids = own.pidsOf('payments-server.ts');
  expect(pids).toHaveLength(1);
  for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 50 }, list));
  expect(own.pidsOf('payments-server.ts')).toEqual(pids);
});

it('charges once for ten who ask at the same time under one key, and again later', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => charge('order-1')));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as ExecuteResponse[];
  expect(new Set(bodies.map(({ result }) => JSON.stringify(result))).size).toBe(1);
  const later = await charge('order-1');
  expect(later.headers.get('idempotent-replayed')).toBe('true');
  expect(app.charges('order-1')).toHaveLength(1);
});

it('tells how far a charge is', async () => {
  const answer = await charge('order-2', { accept: 'text/event-stream' });
  const text = await answer.text();
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  expect(text.match(/event: progress/g)?.length).toBeGreaterThanOrEqual(3);
  expect(text).toContain('event: result');
});

it.each([
  ['order-13', 1],
  ['order-14', 0],
])('says that nobody knows what became of %s, and never asks the payments server again', async (orderId, effects) => {
  for (let time = 1; time <= 2; time += 1) {
    const answer = await charge(orderId);
    const problem = (await answer.json()) as ProblemDetails;
    expect(problem).toMatchObject({ status: 500, code: 'IN_DOUBT', execution: 'unknown', retryable: false });
    const operation = await fetch(`${app.url}${answer.headers.get('location')}`);
    expect(await operation.json()).toMatchObject({ state: 'in_doubt', operationId: problem.operationId });
  }
  expect(app.charges(orderId)).toHaveLength(effects);
});

it('leaves nobody without a word, and nothing charged twice, when the payments server is killed under load', async () => {
  await using own = await startApp({ chargeMs: 600 });
  const chargeAt = (orderId: string) =>
    fetch(`${own.url}/api/payments/execute/charge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': orderId },
      body: JSON.stringify({ arguments: { orderId, amount: 1 } }),
    });
  // Fewer than open the breaker, which would refuse the call afterwards for some seconds.
  const orders = Array.from({ length: 8 }, (_, i) => `killed-${i}`);
  const answering = orders.map(chargeAt);
  await vi.waitFor(() => expect(own.charges('killed-0')).toHaveLength(1), { timeout: 20_000 });
  for (const pid of own.pidsOf('payments-server.ts')) process.kill(pid, 'SIGKILL');
  const answers = await Promise.all(answering);
  const problems = (await Promise.all(answers.map((answer) => answer.json()))) as ProblemDetails[];
  const said = problems.map(({ status, execution, retryable }) => [status, execution, retryable]);
  expect(said).toEqual(orders.map(() => [500, 'unknown', false]));
  const again = await Promise.all(orders.map(chargeAt));
  expect(again.map(({ status }) => status)).toEqual(orders.map(() => 500));
  expect((await chargeAt('after')).status).toBe(200);
  expect(orders.filter((orderId) => own.charges(orderId).length > 1)).toEqual([]);
});

it('reads the catalogue, and nothing beside the tools that are listed', async () => {
  const page = await execute('catalogue/execute/read_text_file', { path: 'kettle.md' });
  expect(JSON.stringify(await page.json())).toContain('Whistles');
  const hidden = await execute(
    'catalogue/execute/write_file',
    { path: 'x.md', content: 'x' },
    { 'idempotency-key': 'x' },
  );
  const unknown = await execute('catalogue/execute/no_such_tool', {}, { 'idempotency-key': 'x' });
  expect([hidden.status, unknown.status]).toEqual([404, 404]);
  expect(await hidden.text()).toBe(await unknown.text());
});

it.each([
  ['another page', { origin: 'https://evil.example' }, 403],
  ['no key', { 'idempotency-key': '' }, 400],
  ['two keys', { 'idempotency-key': '"a", "b"' }, 400],
])('refuses %s', async (_what, headers, status) => {
  const answer = await charge('order-3', headers);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(app.charges('order-3')).toEqual([]);
});

it('stands while its ledger cannot be opened, says so in the API’s own form, and works as soon as it can', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shop-app-'));
  const place = join(folder, 'data');
  writeFileSync(place, 'a file where a folder should be');
  const own = await startNext('start', join(import.meta.dirname, '..'), { SHOP_FOLDER: place, SHOP_CHARGE_MS: '20' });
  try {
    const list = () => fetch(`${own.url}/api/payments/execute/list_charges`, LIST);
    const failed = await list();
    expect(failed.headers.get('content-type')).toBe('application/problem+json');
    expect(await failed.json()).toMatchObject({ status: 502, code: 'CONNECTION_FAILED', execution: 'none' });
    const page = await fetch(own.url);
    expect([page.status, (await fetch(`${own.url}/api/payments/livez`)).status]).toEqual([200, 200]);
    expect(await page.text()).toContain('No answer from');
    rmSync(place);
    expect((await list()).status).toBe(200);
    expect(await (await fetch(own.url)).text()).toContain('Charge an order');
  } finally {
    await own.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});

it.each([
  ['as JSON', 'application/json', '"processed":true'],
  ['as events', 'text/event-stream', 'event: result'],
])(
  'on SIGTERM delivers an answer under way %s, and ends though its clients keep their connections',
  async (_how, accept, part) => {
    await using own = await startApp({ chargeMs: 1_200 });
    const agent = new Agent({ keepAlive: true });
    const idle = httpRequest(`${own.url}/api/payments/livez`, { agent }).end();
    const [first] = (await once(idle, 'response')) as [NodeJS.ReadableStream];
    await once(first.resume(), 'end');
    const answering = fetch(`${own.url}/api/payments/execute/charge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k', accept },
      body: JSON.stringify({ arguments: { orderId: 'order-9', amount: 1 } }),
    });
    await vi.waitFor(() => expect(own.charges('order-9')).toHaveLength(1), { timeout: 20_000 });
    const ended = once(own.process, 'exit');
    own.process.kill('SIGTERM');
    const answer = await answering;
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(part);
    const deliveredAt = performance.now();
    await ended;
    expect(performance.now() - deliveredAt).toBeLessThan(1_000);
    agent.destroy();
  },
);
