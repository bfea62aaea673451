// Asks a server as fast as it answers, over a few kept connections, with as little work on this side as can be.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

const CONNECTIONS = 32;
const BODY = JSON.stringify({ arguments: { text: 'hello' } });

/** A server under load. */
export interface Load {
  /** Asks for `ms`; requests answered in each second. @throws Error for an answer that is not 200 */
  ask(ms: number): Promise<{ readonly answered: number; readonly seconds: number }>;
  close(): void;
}

/** Connects. `withKeys`: each request has a key of its own. */
export async function loadOn(port: number, withKeys: boolean): Promise<Load> {
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => opened(port)));
  let key = 0;
  const request = (): string => {
    key += 1;
    const header = withKeys ? `idempotency-key: order-${port}-${key}\r\n` : '';
    return `POST /execute/echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${header}content-length: ${BODY.length}\r\n\r\n${BODY}`;
  };
  return {
    async ask(ms) {
      const startedAt = performance.now();
      const counts = await Promise.all(sockets.map((socket) => askOn(socket, request, startedAt + ms)));
      const answered = counts.reduce((sum, count) => sum + count, 0);
      return { answered, seconds: (performance.now() - startedAt) / 1_000 };
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
  await once(socket, 'connect');
  return socket;
}

/** One request after the other; what comes back is whole when as much has come as the head says. */
function askOn(socket: Socket, request: () => string, until: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0;
    let got = '';
    const onData = (text: string): void => {
      got += text;
      const headEnd = got.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(got)?.[1]);
      if (got.length < headEnd + 4 + length) return;
      if (!got.startsWith('HTTP/1.1 200')) {
        reject(new Error(`unexpected answer: ${got.slice(0, 300)}`));
        return;
      }
      got = '';
      count += 1;
      if (performance.now() < until) socket.write(request());
      else {
        socket.off('data', onData);
        resolve(count);
      }
    };
    socket.on('data', onData);
    socket.once('close', () => reject(new Error('the server closed a connection')));
    socket.write(request());
  });
}
