/** A MariaDB of one's own. */
import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import type { Service, ServicePlace } from './service.ts';
import { findProgram, idsOf, startService } from './service.ts';

const FOLDERS = ['/usr/sbin', '/usr/libexec', '/usr/bin'];
const USER = 'mysql';

/** Starts it, with the user `root`, no password and the database `mcp_tx`. It syncs every commit. */
export function startMariadb(place: ServicePlace = {}): Promise<Service> {
  return startService({
    ...place,
    name: 'mariadb',
    debianPackage: 'mariadb-server',
    program: () => findProgram('mariadbd', ...FOLDERS),
    user: USER,
    prepare(folder) {
      const ids = idsOf(USER);
      if (ids !== undefined) chownSync(folder, ids.uid, ids.gid);
      const script = findProgram('mariadb-install-db', ...FOLDERS) ?? 'mariadb-install-db';
      const args = [`--datadir=${join(folder, 'data')}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
      execFileSync(script, ['--no-defaults', ...args], { stdio: 'ignore', cwd: folder, ...ids });
    },
    args: (folder, port) => [
      '--no-defaults',
      ...[`--datadir=${join(folder, 'data')}`, '--bind-address=127.0.0.1', `--port=${port}`],
      ...[`--socket=${join(folder, 's.sock')}`, '--max-connections=200', '--max-allowed-packet=64M'],
    ],
    isReady: async (port) => {
      try {
        const client = findProgram('mariadb', ...FOLDERS) ?? 'mariadb';
        const login = ['--no-defaults', '-h', '127.0.0.1', '-P', String(port), '-u', 'root'];
        execFileSync(client, [...login, '-e', 'create database if not exists mcp_tx'], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    },
  });
}
