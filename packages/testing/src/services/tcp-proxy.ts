/** A wire to a server of loopback that counts round trips and can be cut: at once, in the middle of a request, or with a reply on it. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A wire that passes everything on until it is cut. New connections are always taken. */
export interface TcpProxy extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** How often, so far, a client spoke that had heard from the server last, or had said nothing yet: what goes out together counts once. */
  readonly roundTrips: number;
  /** Ends every connection at once; how many there were. */
  cut(): number;
  /**
   * Ends one connection in the middle of what goes over it next. `request`: the server gets half of the next bytes for it.
   * `reply`: the server has done what it was asked, and nobody hears of it. `false`: nothing went that way within `withinMs`.
   */
  cutNext(where: 'request' | 'reply', withinMs: number): Promise<boolean>;
  /** What the server says from now on, on connections that are there, never arrives. */
  mute(): void;
  close(): Promise<void>;
}

type Direction = 'request' | 'reply';

/** Lays a wire to a port of loopback; the server may come and go. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const wires = new Map<Socket, Socket>(); // the client's end, and the server's
  const armed = new Map<Direction, () => void>();
  let roundTrips = 0;

  const pass = (direction: Direction, from: Socket, to: Socket): void => {
    from.on('data', (bytes) => {
      const strike = armed.get(direction);
      if (strike === undefined) {
        if (!to.write(bytes)) from.pause();
        return;
      }
      armed.delete(direction);
      if (direction === 'request') to.write(bytes.subarray(0, bytes.length >> 1), () => from.destroy());
      else from.destroy();
      from.removeAllListeners('data');
      strike();
    });
    to.on('drain', () => from.resume());
    from.on('error', () => undefined); // cut, or the server is away
    from.on('end', () => to.end());
    from.on('close', () => to.destroy());
  };

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    wires.set(near, far);
    near.once('close', () => wires.delete(near));
    let mayBegin = true;
    near.on('data', () => {
      if (mayBegin) roundTrips += 1;
      mayBegin = false;
    });
    far.on('data', () => {
      mayBegin = true;
    });
    pass('request', near, far);
    pass('reply', far, near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const cut = (): number => {
    const count = wires.size;
    for (const near of wires.keys()) near.destroy();
    return count;
  };
  const close = async (): Promise<void> => {
    cut();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    get roundTrips() {
      return roundTrips;
    },
    cut,
    cutNext: (where, withinMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          armed.delete(where);
          resolve(false);
        }, withinMs);
        armed.set(where, () => {
          clearTimeout(timer);
          resolve(true);
        });
      }),
    mute() {
      for (const far of wires.values()) far.removeAllListeners('data').resume();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
