/** Proves that what a route exports answers plain requests, without a server and without Next. */
import type { FakeMcpTx, FakeMcpTxOptions } from '@mcp-tx/testing';
import { createFakeMcpTx } from '@mcp-tx/testing';
import { afterEach, expect, it, vi } from 'vitest';
import type { McpTxHandlersOptions } from '../src/index.ts';
import { createMcpTxHandlers, drainOnSignals, refuseMalformedPath } from '../src/index.ts';

/** The JSON of an answer. */
const bodyOf = async (answer: Response) => (await answer.json()) as Readonly<Record<string, unknown>>;

const BASE = 'http://localhost:3000/api/mcp';

let fakes: FakeMcpTx[] = [];
afterEach(async () => {
  await Promise.all(fakes.map((fake) => fake[Symbol.asyncDispose]()));
  fakes = [];
});

function world(script: FakeMcpTxOptions['script'] = {}, options: Partial<McpTxHandlersOptions> = {}) {
  const tools = { charge: () => ({ charged: true }), look: () => ({ seen: true }) };
  const fake = createFakeMcpTx({ tools, script, options: { tools: { look: { readOnly: true } } } });
  fakes.push(fake);
  const client = vi.fn(async () => fake.tx);
  const own = { client, clock: fake.clock, authenticate: 'single-tenant', tools: ['charge', 'look'] } as const;
  const { GET, POST } = createMcpTxHandlers({ ...own, ...options });
  const post = (tool: string, headers: Record<string, string> = {}, body = '{"arguments":{}}') =>
    fake.until(
      POST(
        new Request(`${BASE}/execute/${tool}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
        }),
      ),
    );
  return { fake, client, post, get: (path: string) => fake.until(GET(new Request(`${BASE}/${path}`))) };
}

it('makes and connects nothing before the first request: Next loads the module while it builds', () => {
  const { client, fake } = world();
  expect(client).not.toHaveBeenCalled();
  expect(fake.sends).toEqual([]);
});

it('runs a tool once for one key, and answers the repeat from the ledger', async () => {
  const { post, fake, client } = world();
  const first = await post('charge', { 'idempotency-key': 'order-1' });
  const second = await post('charge', { 'idempotency-key': '"order-1"' });
  expect([first.status, second.status]).toEqual([200, 200]);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect((await bodyOf(first)).result).toEqual((await bodyOf(second)).result);
  expect(fake.effects).toHaveLength(1);
  expect(client).toHaveBeenCalledTimes(1);
});

it('says 500 and not to retry when nobody knows whether it ran, and where to look', async () => {
  const { post, get, fake } = world({ charge: ['lose-answer'] });
  const answer = await post('charge', { 'idempotency-key': 'order-1' });
  const problem = await bodyOf(answer);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(problem).toMatchObject({ status: 500, code: 'IN_DOUBT', execution: 'unknown', retryable: false });
  expect(answer.headers.get('location')).toBe(`/api/mcp/operations/${problem.operationId}`);
  const operation = await get(`operations/${problem.operationId}`);
  expect(await operation.json()).toMatchObject({ state: 'in_doubt', execution: 'unknown' });
  expect([fake.sends.length, fake.unusedSteps]).toEqual([1, []]);
});

it('answers a tool that is not listed and one that does not exist with the same bytes', async () => {
  const { post, fake } = world({}, { tools: ['look', 'no-such-tool'] });
  const [hidden, unknown] = [await post('charge'), await post('no-such-tool', { 'idempotency-key': 'k' })];
  expect([hidden.status, unknown.status]).toEqual([404, 404]);
  expect(await hidden.text()).toBe(await unknown.text());
  expect(fake.sends).toEqual([]);
});

it.each([
  ['no key for a tool that is not read-only', 'charge', {}, undefined, 400],
  ['a body that is an array', 'look', {}, '[]', 400],
  ['a body that is no JSON', 'look', {}, '{', 400],
  ['a body of another type', 'look', { 'content-type': 'text/plain' }, undefined, 415],
  ['a foreign page', 'look', { origin: 'https://evil.example' }, undefined, 403],
  ['another host name', 'look', { host: 'evil.example' }, undefined, 421],
])('refuses %s', async (_what, tool, headers, body, status) => {
  const { post, fake } = world();
  const answer = await post(tool, headers, body);
  expect([answer.status, (await bodyOf(answer)).status]).toEqual([status, status]);
  expect(fake.sends).toEqual([]);
});

it('tells that it lives, and whether it is ready', async () => {
  const { get } = world();
  expect(await (await get('livez')).json()).toEqual({ status: 'ok' });
  expect((await get('readyz')).status).toBe(200);
  expect((await get('nothing')).status).toBe(404);
});

it('takes a mount path when it is told', async () => {
  const { fake } = world();
  const { GET } = createMcpTxHandlers({
    client: fake.tx,
    authenticate: 'single-tenant',
    tools: '*',
    mount: '/elsewhere',
  });
  expect((await GET(new Request(`${BASE}/livez`))).status).toBe(404);
  expect((await GET(new Request('http://localhost/elsewhere/livez'))).status).toBe(200);
});

it('refuses options without a list of tools', () => {
  const { fake } = world();
  const options = { client: fake.tx, authenticate: 'single-tenant' } as unknown as McpTxHandlersOptions;
  expect(() => createMcpTxHandlers(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

it('drains when the process is told to end, and only if that is wanted', async () => {
  const { get, post } = world();
  const before = process.listenerCount('SIGUSR2');
  drainOnSignals(['SIGUSR2']);
  drainOnSignals(['SIGUSR2']);
  expect(process.listenerCount('SIGUSR2')).toBe(before + 1);
  expect((await get('readyz')).status).toBe(200);
  process.emit('SIGUSR2');
  const refused = await post('look');
  expect([refused.status, refused.headers.get('connection')]).toEqual([503, 'close']);
  expect((await get('readyz')).status).toBe(503);
  expect((await get('livez')).status).toBe(200);
});

it('answers a path that means nothing as the handlers do, and lets every other one go on', async () => {
  const { get } = world();
  const own = await get('execute/%E0%A4%A');
  const refused = refuseMalformedPath(new Request(`${BASE}/execute/%E0%A4%A`));
  expect([own.status, refused?.status]).toEqual([400, 400]);
  expect(await refused?.text()).toBe(await own.text());
  for (const path of ['livez', 'execute/a%20b', 'execute/%00'])
    expect(refuseMalformedPath(new Request(`${BASE}/${path}`))).toBeUndefined();
});
