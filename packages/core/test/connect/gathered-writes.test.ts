import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, it } from 'vitest';
import { GatheredWrites } from '../../src/connect/gathered-writes.ts';
import type { McpTx } from '../../src/index.ts';
import { createMcpTx } from '../../src/index.ts';

const COMMAND = {
  command: process.execPath,
  args: [fileURLToPath(new URL('../programs/echo-server.ts', import.meta.url))],
};

/** A transport over a child process, as far as its standard input is concerned; `writes`: frames in each write. */
function childLike(): { readonly transport: object; readonly stdin: Writable; readonly writes: number[] } {
  const writes: number[] = [];
  const stdin = new Writable({
    write: (_chunk, _encoding, done) => {
      writes.push(1);
      done();
    },
    writev: (chunks, done) => {
      writes.push(chunks.length);
      done();
    },
  });
  return { transport: { _process: { stdin } }, stdin, writes };
}

/** Counts the frames of each write that reaches the child process of an SDK's transport. */
function watchWrites(transport: unknown): number[] {
  const { stdin } = (transport as { _process: { stdin: Writable } })._process;
  const writes: number[] = [];
  const { _write: write, _writev: writev } = stdin;
  stdin._write = function one(...args) {
    writes.push(1);
    write.apply(this, args);
  };
  stdin._writev = function several(chunks, done) {
    writes.push(chunks.length);
    writev?.call(this, chunks, done);
  };
  return writes;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const echoes = (tx: McpTx, texts: readonly string[]) =>
  Promise.all(texts.map(async (text) => (await tx.callTool('echo', { text })).result.content?.[0]?.text));

describe('what is written within one turn', () => {
  it('leaves together, in order, and the next turn begins anew', async () => {
    const { transport, stdin, writes } = childLike();
    const gathered = new GatheredWrites(transport);
    for (const frame of ['a', 'b', 'c']) {
      gathered.gather();
      stdin.write(frame);
    }
    expect(writes).toEqual([]);
    await turn();
    expect(writes).toEqual([3]);
    stdin.write('d');
    expect(writes).toEqual([3, 1]);
    gathered.gather();
    stdin.write('e');
    await turn();
    expect([writes, stdin.writableCorked]).toEqual([[3, 1, 1], 0]);
  });

  it('is not lost where the child is told meanwhile that nothing more comes', async () => {
    const { transport, stdin, writes } = childLike();
    new GatheredWrites(transport).gather();
    stdin.write('a');
    stdin.end('b');
    await turn();
    expect([writes.reduce((sum, frames) => sum + frames), stdin.writableFinished]).toEqual([2, true]);
  });

  it.each([
    ['no child process', {}],
    ['one that is gone', { _process: undefined }],
    ['a standard input that is no stream', { _process: { stdin: { write: () => true } } }],
  ])('leaves by itself over a transport with %s', (_what, transport) => {
    expect(() => new GatheredWrites(transport).gather()).not.toThrow();
  });
});

describe.each([
  ['SDK v1', () => ({ client: new Client({ name: 't', version: '1' }), transport: new StdioClientTransport(COMMAND) })],
  ['SDK v2', () => ({ client: new ClientV2({ name: 't', version: '1' }), transport: new StdioV2(COMMAND) })],
])('calls over stdio with %s', (_line, make) => {
  it('leave alone when alone, and together when together; each gets its own answer', async () => {
    const { client, transport } = make();
    await client.connect(transport as never);
    const writes = watchWrites(transport);
    await using tx = createMcpTx({ server: client, sweepIntervalMs: 0 });
    expect(await echoes(tx, ['warm'])).toEqual(['warm']);
    writes.length = 0;
    expect(await echoes(tx, ['alone'])).toEqual(['alone']);
    expect(writes).toEqual([1]);
    writes.length = 0;
    const texts = Array.from({ length: 10 }, (_, n) => `text ${n}`);
    expect(await echoes(tx, texts)).toEqual(texts);
    expect(writes).toEqual([1, 9]);
    await client.close();
  });
});
