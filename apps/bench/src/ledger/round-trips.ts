// Counts round trips between this process and a server at the wire, through a proxy of its own that reads nothing else.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';

/** A proxy before a server. */
export interface RoundTrips extends AsyncDisposable {
  readonly port: number;
  /** How often, so far, somebody spoke to the server who had heard from it last: what goes out together counts once. */
  count(): number;
}

/** Opens a proxy before the server at `port` of loopback. */
export async function countRoundTrips(port: number): Promise<RoundTrips> {
  let trips = 0;
  const proxy = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    let mayBegin = true;
    near.on('data', (bytes) => {
      if (mayBegin) trips += 1;
      mayBegin = false;
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      mayBegin = true;
      near.write(bytes);
    });
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    count: () => trips,
    async [Symbol.asyncDispose]() {
      proxy.close();
      await once(proxy, 'close'); // its clients have ended before
    },
  };
}
