// The wire that can be cut: what passes, what is lost, and where, and how often somebody waited.
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TcpProxy } from '../src/services.ts';
import { startTcpProxy } from '../src/services.ts';

let server: Server;
let proxy: TcpProxy;
let heard: string;

beforeEach(async () => {
  heard = '';
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      heard += bytes;
      socket.write(`done ${bytes}`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startTcpProxy((server.address() as AddressInfo).port);
});
afterEach(async () => {
  await proxy.close();
  server.close();
});

async function dial(): Promise<Socket> {
  const socket = connect(proxy.port, proxy.host).on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => ['closed'])]);
  return String(answer);
}

it('passes everything on, both ways, also more than a socket holds', async () => {
  const socket = await dial();
  expect(await ask(socket, 'pay')).toBe('done pay');
  const big = 'x'.repeat(4_000_000);
  socket.write(big);
  let length = 0;
  for await (const bytes of socket) {
    length += bytes.length;
    if (length >= big.length) break;
  }
  expect(heard.length).toBe(3 + big.length);
});

it('a cut ends every connection, says how many, and takes new ones', async () => {
  const [one, two] = [await dial(), await dial()];
  await ask(one, 'a');
  await ask(two, 'b');
  const ends = [once(one, 'close'), once(two, 'close')];
  expect(proxy.cut()).toBe(2);
  await Promise.all(ends);
  expect(await ask(await dial(), 'again')).toBe('done again');
});

it('a lost reply was carried out, and a cut request arrives by half; each of them strikes once', async () => {
  const reply = proxy.cutNext('reply', 5_000);
  expect(await ask(await dial(), 'pay1')).toBe('closed');
  expect([await reply, heard]).toEqual([true, 'pay1']);
  const request = proxy.cutNext('request', 5_000);
  expect(await ask(await dial(), 'PAY2')).toBe('closed');
  expect(await request).toBe(true);
  await expect.poll(() => heard).toBe('pay1PA');
  expect(await ask(await dial(), 'ok')).toBe('done ok');
});

it('says so when nothing went over the wire in time, and strikes no later', async () => {
  expect(await proxy.cutNext('reply', 20)).toBe(false);
  expect(await ask(await dial(), 'pay')).toBe('done pay');
});

it('counts round trips: what goes out before an answer counts once, and each connection for itself', async () => {
  const [one, two] = [await dial(), await dial()];
  expect(proxy.roundTrips).toBe(0);
  await ask(one, 'a');
  await ask(one, 'b');
  expect(proxy.roundTrips).toBe(2);
  server.removeAllListeners('connection').on('connection', (socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (bytes) => {
        heard += bytes; // and says nothing
      });
  });
  const silent = await dial();
  for (const text of ['c', 'd']) {
    silent.write(text);
    await expect.poll(() => heard).toContain(text);
  }
  expect(proxy.roundTrips).toBe(3);
  await ask(two, 'e');
  expect(proxy.roundTrips).toBe(4);
});

it('once muted, what a connection asks for is done and nobody hears of it; new ones hear again', async () => {
  const [one, quiet] = [await dial(), await dial()];
  await ask(one, 'a');
  proxy.mute();
  const answers: string[] = [];
  for (const socket of [one, quiet]) socket.on('data', (bytes) => answers.push(String(bytes)));
  one.write('b');
  quiet.write('c');
  await expect.poll(() => heard).toMatch(/^a(bc|cb)$/);
  expect(await ask(await dial(), 'd')).toBe('done d');
  expect(answers).toEqual([]);
  expect(proxy.cut()).toBe(3);
});

it('a server that is away is a connection that ends', async () => {
  server.close();
  const socket = connect(proxy.port, proxy.host).on('error', () => undefined);
  await once(socket, 'close');
});
