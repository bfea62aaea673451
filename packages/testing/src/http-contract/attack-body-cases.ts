/** Rows of the attack list about bodies: what is JSON, what is data, and what is too much. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { HttpCase, HttpWorld } from './fixture.ts';

/** Sends each body as it is; every one must be refused with that status, and nothing may reach the server. */
async function refuseAll(
  { send, arrivals }: HttpWorld,
  status: number,
  bodies: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [what, body] of Object.entries(bodies)) {
    const reply = await send('/execute/pay', { method: 'POST', key: 'k', body });
    deepEqual([what, reply.status, reply.json.execution], [what, status, 'none']);
  }
  equal(arrivals(), 0);
}

const inArguments = (text: string): string => `{"arguments":{"orderId":"a",${text}}}`;

export const attackBodyCases: readonly HttpCase[] = [
  {
    id: 'http:attack-prototype',
    title: 'members named __proto__ and constructor are data: they change no object, and they count',
    attack: 14,
    needs: [],
    async run({ send, execute, server }) {
      const body =
        '{"arguments":{"orderId":"a","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}';
      const sly = await send('/execute/pay', { method: 'POST', key: 'k', body });
      if (sly.status === 400) return; // a framework that parses bodies itself may refuse them
      equal(sly.status, 200);
      equal(({} as { polluted?: number }).polluted, undefined);
      ok(JSON.stringify(server.effects()[0]?.args).includes('constructor'));
      equal((await execute('pay', { orderId: 'a' }, { key: 'k' })).status, 422);
    },
  },
  {
    id: 'http:attack-envelope',
    title: 'the body has one member, arguments, spelled so',
    attack: 15,
    needs: [],
    run: (world) =>
      refuseAll(world, 400, {
        case: '{"Arguments":{"orderId":"a"}}',
        'a letter that looks like another': '{"argument\u017f":{"orderId":"a"}}',
        'a second member': '{"arguments":{"orderId":"a"},"tool":"append"}',
        'the arguments themselves': '{"orderId":"a"}',
        'arguments that are a list': '{"arguments":["a"]}',
        'arguments that are a text': '{"arguments":"a"}',
        null: '{"arguments":null}',
      }),
  },
  {
    id: 'http:attack-duplicates',
    title: 'two members of one name are 400, also when one of them is written with escapes',
    attack: 15,
    needs: ['raw-body'],
    run: (world) =>
      refuseAll(world, 400, {
        'at the top': '{"arguments":{"orderId":"a"},"arguments":{"orderId":"b"}}',
        'in the arguments': inArguments('"amount":1,"amount":2'),
        'with escapes': inArguments('"amount":1,"\\u0061mount":2'),
        'deep inside': inArguments('"list":[{"x":{"y":1,"y":2}}]'),
      }),
  },
  {
    id: 'http:attack-deep',
    title: 'nesting of 100,000 levels is 400, quickly',
    attack: 16,
    needs: [],
    async run(world) {
      const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
      const reply = await world.send('/execute/pay', { method: 'POST', key: 'k', body: inArguments(`"x":${deep}`) });
      equal(reply.status, 400);
      ok(reply.tookMs < 2_000, `answered after ${reply.tookMs} ms`);
      equal(world.arrivals(), 0);
    },
  },
  {
    id: 'http:attack-large',
    title: 'a body over the limit is 413, whether its length is told or not',
    attack: 16,
    needs: [],
    async run({ send, execute, arrivals }) {
      const body = inArguments(`"list":[${'0,'.repeat(1_000_000)}0]`);
      const told = await send('/execute/pay', { method: 'POST', key: 'k', body });
      equal(told.status, 413);
      const headers = { 'content-length': undefined, 'transfer-encoding': 'chunked' };
      const untold = await send('/execute/pay', { method: 'POST', key: 'k', body, headers });
      equal(untold.status, 413);
      equal(arrivals(), 0);
      equal((await execute('pay', { orderId: 'a' }, { key: 'k' })).status, 200);
    },
  },
  {
    id: 'http:attack-numbers',
    title: 'numbers that machines read differently are 400',
    attack: 17,
    needs: [],
    run: (world) =>
      refuseAll(world, 400, {
        'too large': inArguments('"amount":1e400'),
        'a whole number beyond 2^53 - 1': inArguments('"amount":9007199254740993'),
        NaN: inArguments('"amount":NaN'),
        Infinity: inArguments('"amount":-Infinity'),
      }),
  },
  {
    id: 'http:attack-minus-zero',
    title: 'minus zero is zero',
    attack: 17,
    needs: [],
    async run({ send, paid }) {
      const replies = [];
      for (const zero of ['-0', '0', '-0.0'])
        replies.push(await send('/execute/pay', { method: 'POST', key: 'k', body: inArguments(`"amount":${zero}`) }));
      deepEqual(
        replies.map(({ status }) => status),
        [200, 200, 200],
      );
      equal(paid('a'), 1);
    },
  },
  {
    id: 'http:attack-surrogates',
    title: 'text that UTF-8 cannot carry is 400',
    attack: 18,
    needs: [],
    run: (world) =>
      refuseAll(world, 400, {
        'half a pair': inArguments('"note":"\\ud800"'),
        'half a pair in a name': inArguments('"\\udc00":1'),
      }),
  },
  {
    id: 'http:attack-encoding',
    title: 'bytes that are not UTF-8, and a byte order mark, are 400',
    attack: 18,
    needs: ['raw-body'],
    run: (world) =>
      refuseAll(world, 400, {
        'an overlong slash': Buffer.from(inArguments('"note":"\u00c0\u00af"'), 'latin1'),
        'a broken sequence': Buffer.from(inArguments('"note":"\u00e9"'), 'latin1'),
        'a surrogate as three bytes': Buffer.from(inArguments('"note":"\u00ed\u00a0\u0080"'), 'latin1'),
        'a byte order mark': `\ufeff${inArguments('"note":"x"')}`,
      }),
  },
  {
    id: 'http:attack-batch',
    title: 'a body that is a list, a text, a number or nothing that is JSON is 400',
    attack: 19,
    needs: [],
    run: (world) =>
      refuseAll(world, 400, {
        'a batch': '[{"jsonrpc":"2.0","id":1,"method":"tools/call"}]',
        'an empty list': '[]',
        'a text': '"arguments"',
        'a number': '1',
        null: 'null',
        'half a body': '{"arguments":{"orderId":"a"',
        'a trailing comma': '{"arguments":{"orderId":"a"},}',
      }),
  },
  {
    id: 'http:attack-media-types',
    title: 'a body that a web page can send without asking is 415',
    attack: 26,
    needs: [],
    async run({ execute, arrivals }) {
      const types = [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'text/json',
        '',
      ];
      types.push('application/jsonp', 'application/json; charset=latin1', 'application/json, text/plain');
      for (const type of types) {
        const { status, json } = await execute(
          'pay',
          { orderId: 'a' },
          { key: 'k', headers: { 'content-type': type } },
        );
        deepEqual([type, status, json.code], [type, 415, 'MEDIA_TYPE_UNSUPPORTED']);
      }
      equal(arrivals(), 0);
      const fine = { 'content-type': 'application/JSON; charset=UTF-8' };
      equal((await execute('pay', { orderId: 'a' }, { key: 'k', headers: fine })).status, 200);
    },
  },
];
