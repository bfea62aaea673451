import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ReadBuffer } from '@modelcontextprotocol/sdk/shared/stdio.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerReader, readAnswers } from '../../src/connect/answer-reader.ts';
import { createMcpTx } from '../../src/index.ts';

const OURS = 'req_ours.1';
const isOurs = (id: string): boolean => id === OURS;
const answer = (id: string | number, result: unknown, more: object = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id, result, ...more });
const line = (text: string): Buffer => Buffer.from(`${text}\n`);
const OK = { content: [{ type: 'text', text: 'größer 🙂' }] };

type Reader = Pick<AnswerReader, 'append' | 'readMessage' | 'clear'>;

/** Reads as the SDK's transport does: until there is no further message, and on behind a line with a flaw. */
function drain(reader: Reader): unknown[] {
  const messages: unknown[] = [];
  for (;;) {
    try {
      const message = reader.readMessage();
      if (message === null) return messages;
      messages.push(message);
    } catch {
      messages.push('a flaw');
    }
  }
}

/** What the SDK's own reader was given, by the reader under test. */
function watched(sdk: ReadBuffer): { readonly reader: AnswerReader; readonly given: string[] } {
  const given: string[] = [];
  const append = sdk.append.bind(sdk);
  sdk.append = (chunk) => {
    given.push(chunk.toString());
    append(chunk);
  };
  const reader = new AnswerReader(sdk, isOurs);
  reader.append(line('')); // of the bytes before the first line that it sees, it knows nothing
  drain(reader);
  given.length = 0;
  return { reader, given };
}

const lines = fc.oneof(
  fc.constantFrom(
    answer(OURS, OK),
    answer('req_other.1', OK),
    answer(7, OK),
    answer(OURS, OK, { error: { code: 1, message: 'x' } }),
    answer(OURS, OK, { method: 'ping' }),
    answer(OURS, null),
    answer(OURS, []),
    answer(OURS, { ...OK, _meta: { trace: 'a' } }),
    answer(OURS, { ...OK, _meta: { progressToken: {} } }),
    answer(OURS, { ...OK, _meta: { 'io.modelcontextprotocol/related-task': 7 } }),
    answer(OURS, { ...OK, _meta: [] }),
    answer(OURS, OK).replace('2.0', '1.0'),
    JSON.stringify({ jsonrpc: '2.0', id: OURS, error: { code: -32_601, message: 'no' } }),
    JSON.stringify({ jsonrpc: '2.0', id: OURS, method: 'ping' }),
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: OURS, progress: 1 } }),
    `{"result":{"n":-0,"big":1e400,"n":2},"id":"${OURS}","jsonrpc":"2.0"}`,
    `{"jsonrpc":"2.0","id":"${OURS}","result":{"content":[],"__proto__":{"isError":true}}}`,
    `{"jsonrpc":"2.0","id":"${OURS}","result":{"content":[{"__proto__":[]}],"_meta":{"__proto__":{"a":1}}}}`,
    `{"jsonrpc":"2.0","id":"${OURS}","result":{"content":[]},"__proto__":{"method":"ping"}}`,
    ` ${answer(OURS, OK)}\r`,
    `${answer(OURS, OK)} ${answer(OURS, OK)}`,
    answer(OURS, OK).slice(0, -1),
    '',
    '\r',
    'null',
    'Server started',
  ),
  fc.jsonValue().map((result) => answer(OURS, result)),
);

/** Where the lines end behind which the bytes are cut. */
function endsOf(all: readonly { readonly text: string; readonly isCutBehind: boolean }[]): number[] {
  let end = 0;
  return all.flatMap(({ text, isCutBehind }) => {
    end += Buffer.byteLength(text) + 1;
    return isCutBehind ? [end] : [];
  });
}

describe('answers to frames of our own', () => {
  it('are read as the SDK would read them, whatever stands beside them and however the bytes are cut', () => {
    const written = fc.array(fc.record({ text: lines, isCutBehind: fc.boolean() }), { maxLength: 12 });
    const cuts = fc.array(fc.nat(2_000), { maxLength: 3 });
    fc.assert(
      fc.property(written, cuts, (all, places) => {
        const bytes = Buffer.from(all.map(({ text }) => `${text}\n`).join(''));
        const at = [0, ...places.map((place) => place % (bytes.length + 1)), ...endsOf(all), bytes.length];
        at.sort((a, b) => a - b);
        const sdk = new ReadBuffer();
        const { reader } = watched(new ReadBuffer());
        for (let n = 1; n < at.length; n += 1) {
          if (at[n] === at[n - 1]) continue;
          for (const each of [sdk, reader]) each.append(bytes.subarray(at[n - 1], at[n]));
          expect(drain(reader)).toEqual(drain(sdk));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('do not pass the SDK’s reader, be they alone or several in a chunk; what stands between them does', () => {
    const { reader, given } = watched(new ReadBuffer());
    reader.append(line(answer(OURS, OK)));
    expect(drain(reader)).toEqual([{ jsonrpc: '2.0', id: OURS, result: OK }]);
    const others = [answer(7, OK), answer('req_other.1', OK)];
    reader.append(line([answer(OURS, OK), ...others, answer(OURS, OK)].join('\n')));
    expect(drain(reader)).toHaveLength(4);
    expect(given).toEqual(others.map((other) => `${other}\n`));
  });

  it('come in several pieces by way of the SDK’s reader, and the next one does not', () => {
    const { reader, given } = watched(new ReadBuffer());
    const bytes = line(answer(OURS, OK));
    for (const piece of [bytes.subarray(0, 40), bytes.subarray(40)]) reader.append(piece);
    expect(drain(reader)).toEqual([{ jsonrpc: '2.0', id: OURS, result: OK }]);
    expect(given).toHaveLength(2);
    reader.append(bytes);
    expect(drain(reader)).toHaveLength(1);
    expect(given).toHaveLength(2);
  });

  it('are not mixed with half a line of a process that is gone', () => {
    const { reader } = watched(new ReadBuffer());
    reader.append(Buffer.from('{"jsonrpc"'));
    drain(reader);
    reader.clear();
    reader.append(line(answer(OURS, OK)));
    expect(drain(reader)).toEqual([{ jsonrpc: '2.0', id: OURS, result: OK }]);
  });

  it.each([
    ['before it was wrapped', (sdk: ReadBuffer) => sdk],
    ['since', (sdk: ReadBuffer) => watched(sdk).reader],
  ])(
    'are not taken for lines of their own where the process has begun the line with something else, %s',
    (_when, to) => {
      const sdk = new ReadBuffer();
      const begun = to(sdk);
      begun.append(Buffer.from('log: '));
      drain(begun);
      const reader = begun instanceof AnswerReader ? begun : new AnswerReader(sdk, isOurs);
      reader.append(line(answer(OURS, OK)));
      expect(drain(reader)).toEqual(['a flaw']);
      reader.append(line(answer(OURS, OK)));
      expect(drain(reader)).toHaveLength(1);
    },
  );

  it('are all there where nobody reads between two chunks, and none where the transport is cleared', () => {
    const { reader } = watched(new ReadBuffer());
    for (const id of [OURS, 7, 8]) reader.append(line(answer(id, OK)));
    expect(drain(reader)).toMatchObject([{ id: OURS }, { id: 7 }, { id: 8 }]);
    reader.append(line([7, 8].map((id) => answer(id, OK)).join('\n')));
    reader.readMessage();
    reader.append(line(answer(OURS, OK)));
    expect(drain(reader)).toMatchObject([{ id: 8 }, { id: OURS }]);
    reader.append(line(answer(OURS, OK)));
    reader.clear();
    expect(drain(reader)).toEqual([]);
  });

  it('may be no longer in pieces than the SDK lets them be', () => {
    const { reader } = watched(new ReadBuffer({ maxBufferSize: 100 }));
    const half = Buffer.alloc(60, 'x');
    reader.append(half);
    expect(() => reader.append(half)).toThrow(/exceeded/);
  });
});

describe('a transport', () => {
  it.each([
    ['without a reader', {}],
    ['with a reader of another kind', { _readBuffer: { append: () => undefined, readMessage: () => null } }],
  ])('%s is left alone', (_what, transport) => {
    const before = { ...transport };
    readAnswers(transport, isOurs);
    expect(transport).toEqual(before);
  });

  it('over a child process gives answers of any length, and the SDK’s reader sees those that are long', async () => {
    const program = fileURLToPath(new URL('../programs/echo-server.ts', import.meta.url));
    const transport = new StdioClientTransport({ command: process.execPath, args: [program] });
    const client = new Client({ name: 't', version: '1' });
    await client.connect(transport);
    const sdk = (transport as unknown as { _readBuffer: ReadBuffer })._readBuffer;
    let seen = 0;
    const append = sdk.append.bind(sdk);
    sdk.append = (chunk) => {
      seen += 1;
      append(chunk);
    };
    await using tx = createMcpTx({ server: client, sweepIntervalMs: 0 });
    const echo = async (text: string) => (await tx.callTool('echo', { text })).result.content?.[0]?.text;
    expect(await echo('first')).toBe('first');
    const list = seen; // the list of tools is a matter of the SDK’s
    expect(await Promise.all(['a', 'b', 'c'].map(echo))).toEqual(['a', 'b', 'c']);
    expect([list > 0, seen - list]).toEqual([true, 0]);
    const long = 'ö'.repeat(150_000);
    expect(await echo(long)).toBe(long);
    expect(seen).toBeGreaterThan(list);
    expect((await client.callTool({ name: 'echo', arguments: { text: 'own' } })).content).toEqual([
      { type: 'text', text: 'own' },
    ]);
    await client.close();
  });
});
