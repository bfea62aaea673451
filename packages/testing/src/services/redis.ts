/** A Redis or Valkey of one's own. */
import { connect } from 'node:net';
import type { Service, ServicePlace } from './service.ts';
import { findProgram, startService } from './service.ts';

const FOLDERS = ['/usr/bin', '/usr/local/bin'];
const ANSWER_TIMEOUT_MS = 1_000;

/** Starts it, without a password. It syncs every write; `settings` go over that, as `['--appendfsync', 'everysec']`. */
export function startRedis(settings: readonly string[] = [], place: ServicePlace = {}): Promise<Service> {
  return startService({
    ...place,
    name: 'redis',
    debianPackage: 'redis-server',
    program: () => findProgram('redis-server', ...FOLDERS) ?? findProgram('valkey-server', ...FOLDERS),
    prepare: () => undefined,
    args: (folder, port) => [
      ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', 'always', ...settings],
    ],
    isReady: answers,
  });
}

/** Whether it answers a ping: while it still loads its file, it does not. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => end(false));
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
  });
}
