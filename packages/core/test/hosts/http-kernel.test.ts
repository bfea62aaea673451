import { describe, expect, it } from 'vitest';
import type { HttpKernel, HttpKernelOptions, KernelRequest } from '../../src/http.ts';
import { createHttpKernel } from '../../src/http.ts';
import type { Instance } from '../support/instance.ts';
import { instance } from '../support/instance.ts';
import type { Fate } from '../support/scripted-connection.ts';
import { fates, slowly } from '../support/scripted-connection.ts';

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

describe('a call that its answer does not wait for', () => {
  const later = (more: Record<string, string> = {}): KernelRequest =>
    pay({ arguments: { amount: 1 } }, { prefer: 'respond-async', ...more });

  it('is 202 once it stands in the ledger with its arguments, and goes on', async () => {
    const all = await world([slowly(200)]);
    const answer = await ask(all, later());
    const record = await all.tx.getOperation(answer.json['operationId'] as string);
    expect(record?.arguments).toBe('{"amount":1}');
    expect([answer.status, answer.headers['preference-applied']]).toEqual([202, 'respond-async']);
    expect(answer.headers['location']).toBe(`/mcp/operations/${record?.operationId}`);
  });

  it('is a conflict, and not 202, when its key stands for other arguments', async () => {
    const all = await world([fates.answer]);
    await ask(all, pay({ arguments: { amount: 2 } }));
    const answer = await ask(all, later());
    expect([answer.status, answer.json['code']]).toEqual([422, 'KEY_CONFLICT']);
  });

  it('is answered with the result when that comes within the wait', async () => {
    const all = await world([fates.answer]);
    expect((await ask(all, later({ prefer: 'respond-async, wait=5' }))).status).toBe(200);
  });

  it('is waited for by a drain', async () => {
    const all = await world([fates.lostAnswer]);
    expect((await ask(all, later())).status).toBe(202);
    expect(all.kernel.inFlight).toBe(1);
    await all.clock.advance(2_000);
    expect(all.kernel.inFlight).toBe(0);
  });
});

describe('events', () => {
  async function read(all: World, request: KernelRequest): Promise<string[]> {
    const { body, headers: got } = await all.kernel.handle(request);
    expect(got['content-type']).toBe('text/event-stream');
    const events: string[] = [];
    const reading = (async () => {
      for await (const text of body as AsyncIterable<string>) events.push(text.split('\n')[0] ?? '');
    })();
    for (let passed = 0; passed < 3_000; passed += 10) await all.clock.advance(10);
    await reading;
    return events;
  }

  it('tell progress, then the result', async () => {
    const all = await world([{ ...slowly(300), progressAtMs: [10, 20, 30, 200] }]);
    const events = await read(all, pay({}, { accept: 'text/event-stream' }));
    const progress = 'event: progress'; // the second and the third are one: of a flood only the latest is told
    expect(events).toEqual([': begun', progress, progress, progress, 'event: result']);
  });

  it('end with the problem', async () => {
    const all = await world([fates.lostAnswer]);
    const events = await read(all, pay({}, { accept: 'text/event-stream' }));
    expect(events).toEqual([': begun', 'event: problem']);
  });

  it('are not given for a request that is refused before there is a call', async () => {
    const all = await world();
    const answer = await ask(all, pay('[]', { accept: 'text/event-stream' }));
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'application/problem+json']);
  });
});

describe('the description of the API', () => {
  it('is off unless it is asked for', async () => {
    const all = await world();
    expect((await ask(all, { method: 'GET', path: '/openapi.json', headers })).status).toBe(404);
  });

  it('has the tools that its reader may call', async () => {
    const all = await world([], { openapi: { title: 'Shop', version: '3' }, authorize: (_, tool) => tool !== 'read' });
    const { json } = await ask(all, { method: 'GET', path: '/openapi.json', mount: '/mcp', headers });
    expect(json).toMatchObject({ openapi: '3.1.0', info: { title: 'Shop', version: '3' }, servers: [{ url: '/mcp' }] });
    expect(Object.keys(json['paths'] as object)).toEqual(['/execute/pay', '/operations', '/operations/{operationId}']);
  });
});

it('calls over the rate of one principal are 429, and others go on', async () => {
  const all = await world([fates.answer, fates.answer, fates.answer], { rate: { burst: 1, perSecond: 1 } });
  const statuses = [
    await ask(all, pay({})),
    await ask(all, pay({})),
    await ask(all, pay({}, { authorization: 'bob' })),
  ].map(({ status, headers: got }) => [status, got['retry-after']]);
  expect(statuses).toEqual([
    [200, undefined],
    [429, '1'],
    [200, undefined],
  ]);
  await all.clock.advance(1_000);
  expect((await ask(all, pay({}))).status).toBe(200);
});
