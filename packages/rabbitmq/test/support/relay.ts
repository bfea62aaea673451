/** A wire to the broker that a test can cut. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A wire that passes everything on. */
export interface Relay extends AsyncDisposable {
  readonly url: string;
  /** Ends every connection at once, as a pulled cable would for whoever looks. */
  cut(): void;
  /** What the broker says from now on, on connections that are there, never arrives. */
  mute(): void;
  close(): Promise<void>;
}

/** Lays a wire to a port of loopback. */
export async function relayTo(port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const fars = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    fars.add(far);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const mute = (): void => {
    for (const far of fars) far.unpipe().resume();
  };
  const close = async (): Promise<void> => {
    cut();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  const { port: own } = server.address() as AddressInfo;
  return { url: `amqp://guest:guest@127.0.0.1:${own}`, cut, mute, close, [Symbol.asyncDispose]: close };
}
