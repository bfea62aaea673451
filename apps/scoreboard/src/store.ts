// Private instances of the servers that subjects keep their records in, one for each trial.
import { join } from 'node:path';
import { startMariadb, startPostgres, startRedis } from '@mcp-tx/testing/services';
import type { StoreAddress, StoreName } from './subject.ts';

/** A store of a trial's own. */
export interface Store extends AsyncDisposable {
  readonly address: StoreAddress;
}

const starts = { postgres: startPostgres, mariadb: startMariadb, redis: () => startRedis() } as const;

export async function startStore(name: StoreName, folder: string): Promise<Store> {
  if (name === 'sqlite')
    return { address: { file: join(folder, 'ledger.db'), port: 0 }, async [Symbol.asyncDispose]() {} };
  const service = await starts[name]();
  return { address: { file: '', port: service.port }, [Symbol.asyncDispose]: () => service.stop() };
}
