/** A PostgreSQL of one's own. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Service, ServicePlace } from './service.ts';
import { findProgram, idsOf, startService } from './service.ts';

const FOLDERS = '/usr/lib/postgresql/*/bin';
const USER = 'postgres';

/** Starts it, with the superuser `postgres`, no password and the database `postgres`. It syncs every commit. */
export function startPostgres(place: ServicePlace = {}): Promise<Service> {
  return startService({
    ...place,
    name: 'postgres',
    debianPackage: 'postgresql',
    program: () => findProgram('postgres', FOLDERS),
    user: USER,
    prepare(folder) {
      const ids = idsOf(USER);
      const data = join(folder, 'data');
      mkdirSync(data);
      for (const path of [folder, data]) if (ids !== undefined) chownSync(path, ids.uid, ids.gid);
      const args = ['-D', data, '-A', 'trust', '-U', USER, '-E', 'UTF8', '--locale=C', '--no-sync'];
      execFileSync(findProgram('initdb', FOLDERS) ?? 'initdb', args, { stdio: 'ignore', cwd: folder, ...ids });
    },
    args: (folder, port) => [
      ...['-D', join(folder, 'data'), '-p', String(port), '-c', 'listen_addresses=127.0.0.1'],
      ...['-c', `unix_socket_directories=${folder}`, '-c', 'max_connections=200'],
      ...['-c', 'dynamic_shared_memory_type=mmap'], // in its folder: a killed one leaves nothing elsewhere
    ],
    isReady: async (port) => {
      try {
        const pgIsReady = findProgram('pg_isready', FOLDERS) ?? 'pg_isready';
        execFileSync(pgIsReady, ['-q', '-h', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    },
  });
}
