import { describe, expect, it } from 'vitest';
import type { HttpKernel, HttpKernelOptions, KernelRequest } from '../../src/http.ts';
import { createHttpKernel } from '../../src/http.ts';
import type { Instance } from '../support/instance.ts';
import { instance } from '../support/instance.ts';
import type { Fate } from '../support/scripted-connection.ts';
import { fates } from '../support/scripted-connection.ts';

interface World extends Instance {
  readonly kernel: HttpKernel;
}

async function world(script: readonly Fate[] = [], options: Partial<HttpKernelOptions> = {}): Promise<World> {
  const all = await instance(script, { tools: { read: { readOnly: true } } });
  const who = (header: string | undefined) => (header === undefined ? null : { scope: header });
  const kernel = createHttpKernel({
    client: all.tx,
    tools: ['pay', 'read'],
    authenticate: (caller) => who(caller.header('authorization')),
    clock: all.clock,
    ...options,
  });
  return { ...all, kernel };
}

const headers = { host: 'shop', authorization: 'alice', 'content-type': 'application/json', 'idempotency-key': '"k"' };
const pay = (body: unknown, more: Record<string, string> = {}): KernelRequest => ({
  method: 'POST',
  path: '/execute/pay',
  mount: '/mcp',
  headers: { ...headers, ...more },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

async function ask({ kernel, clock }: World, request: KernelRequest, ms = 3_000) {
  const answering = kernel.handle(request);
  let isDone = false;
  void answering.then(() => {
    isDone = true;
  });
  await clock.settle();
  for (let passed = 0; passed < ms && !isDone; passed += 10) await clock.advance(10);
  const { status, headers: got, body } = await answering;
  return { status, headers: got, json: JSON.parse(body as string) as Record<string, unknown> };
}

describe('the HTTP kernel', () => {
  it('calls a tool once for two requests with one key, quoted and bare', async () => {
    const all = await world([fates.answer]);
    const first = await ask(all, pay({ arguments: { amount: 1 } }));
    const second = await ask(all, pay({ arguments: { amount: 1 } }, { 'idempotency-key': 'k' }));
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.json['result']).toEqual(first.json['result']);
    expect([first.headers['idempotent-replayed'], second.headers['idempotent-replayed']]).toEqual([undefined, 'true']);
    expect(all.server.sends).toHaveLength(1);
    expect(all.server.sends[0]?.arguments).toEqual({ amount: 1 });
  });

  it('a sent call without an answer is 500, not retryable, and says where to look', async () => {
    const all = await world([fates.lostAnswer]);
    const { status, headers: got, json } = await ask(all, pay({}));
    expect([status, json['code'], json['execution'], json['retryable'], json['attempts']]).toEqual([
      500,
      'IN_DOUBT',
      'unknown',
      false,
      1,
    ]);
    expect(got['location']).toBe(`/mcp/operations/${json['operationId']}`);
    expect(got['content-type']).toBe('application/problem+json');
  });

  it('shows an operation to its principal, and to nobody else', async () => {
    const all = await world([fates.answer]);
    const { headers: got } = await ask(all, pay({ arguments: {} }));
    const path = `/operations/${got['mcp-tx-operation-id']}`;
    const mine = await ask(all, { method: 'GET', path, headers });
    expect([mine.status, mine.json['state'], mine.json['tool']]).toEqual([200, 'completed', 'pay']);
    const theirs = await ask(all, { method: 'GET', path, headers: { ...headers, authorization: 'bob' } });
    const none = await ask(all, { method: 'GET', path: `/operations/op_${'a'.repeat(26)}`, headers });
    expect([theirs.status, theirs]).toEqual([404, none]);
    const list = await ask(all, { method: 'GET', path: '/operations', headers: { ...headers, authorization: 'bob' } });
    expect(list.json).toEqual({ operations: [] });
  });

  it.each([
    ['no principal', { authorization: undefined }, '', 401, 'UNAUTHENTICATED'],
    ['no key', { 'idempotency-key': undefined }, '{}', 400, 'KEY_REQUIRED'],
    ['an array', {}, '[]', 400, 'BODY_INVALID'],
    ['a string', {}, '"x"', 400, 'BODY_INVALID'],
    ['two members of one name', {}, '{"arguments":{"a":1,"\\u0061":2}}', 400, 'BODY_INVALID'],
    ['another envelope', {}, '{"Arguments":{}}', 400, 'BODY_INVALID'],
    ['1e400', {}, '{"arguments":{"a":1e400}}', 400, 'BODY_INVALID'],
    ['2^53 + 1', {}, '{"arguments":{"a":9007199254740993}}', 400, 'BODY_INVALID'],
    ['a form', { 'content-type': 'text/plain' }, '{}', 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['too much', {}, `"${'x'.repeat(1_100_000)}"`, 413, 'BODY_TOO_LARGE'],
    ['a deadline of zero', { 'mcp-tx-timeout-ms': '0' }, '{}', 400, 'REQUEST_INVALID'],
    ['a page of another origin', { origin: 'https://evil.example' }, '{}', 403, 'ORIGIN_REFUSED'],
  ])('%s is refused, and nothing is sent', async (_what, more, body, status, code) => {
    const all = await world();
    const answer = await ask(all, pay(body, more as Record<string, string>));
    expect([answer.status, answer.json['code'], answer.json['execution']]).toEqual([status, code, 'none']);
    expect(all.server.sends).toHaveLength(0);
  });

  it('needs no key for a tool that is declared read-only', async () => {
    const all = await world([fates.answer]);
    const { 'idempotency-key': _, ...keyless } = headers;
    expect((await ask(all, { method: 'POST', path: '/execute/read', headers: keyless })).status).toBe(200);
  });

  it('a tool off the list, a forbidden one and one that does not exist have the same answer', async () => {
    const all = await world([], { tools: ['pay', 'nonsense'], authorize: (_, tool) => tool !== 'pay' });
    const [forbidden, unlisted, unknown] = [
      await ask(all, pay({})),
      await ask(all, { ...pay({}), path: '/execute/read' }),
      await ask(all, { ...pay({}), path: '/execute/nonsense' }),
    ];
    expect([forbidden.status, unlisted, unknown]).toEqual([404, forbidden, forbidden]);
    expect(all.server.sends).toHaveLength(0);
  });

  it('a single tenant is reached by loopback names only, unless others are named', async () => {
    const all = await world([fates.answer, fates.answer], { authenticate: 'single-tenant' });
    expect((await ask(all, pay({}, { host: 'evil.example' }))).json['code']).toBe('HOST_REFUSED');
    expect((await ask(all, pay({}, { host: 'localhost:3000' }))).status).toBe(200);
  });

  it('a hook that throws is 500, execution none, and its words stay inside', async () => {
    const heard: unknown[] = [];
    const authenticate = () => Promise.reject(new Error('secret'));
    const all = await world([], { authenticate, onError: (error) => heard.push(error) });
    const answer = await ask(all, pay({}));
    expect([answer.status, answer.json['execution']]).toEqual([500, 'none']);
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(heard).toHaveLength(1);
  });

  it('while draining it finishes what it has, takes nothing more, and keeps no connection', async () => {
    const all = await world([fates.answer]);
    const ready = { method: 'GET', path: '/readyz', headers };
    expect((await ask(all, ready)).status).toBe(200);
    await all.kernel.drain();
    const refused = await ask(all, pay({}));
    expect([refused.status, refused.json['code'], refused.headers['connection']]).toEqual([503, 'DRAINING', 'close']);
    expect((await ask(all, ready)).json).toEqual({ status: 'draining' });
    expect((await ask(all, { ...ready, path: '/livez' })).status).toBe(200);
  });
});

it.each([
  [{ authenticate: undefined }, /authenticate/],
  [{ tools: undefined }, /tools/],
  [{ client: undefined }, /client/],
  [{ limits: { maxBodyBytes: 0 } }, /maxBodyBytes/],
])('options that cannot be meant are refused: %j', async (wrong, says) => {
  await expect(world([], wrong as never)).rejects.toThrow(says);
});
