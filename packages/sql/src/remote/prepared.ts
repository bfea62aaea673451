/** Lets PostgreSQL plan the ledger's own statements once per connection: they go out under a name, all others as they are. */
import { hash } from 'node:crypto';
import type { PostgresPool, PostgresPoolClient } from 'kysely';

/** What marks a statement of ours; a pool that knows nothing of it sends it as a comment. */
const MARK = '/* mcp-tx */ ';

/** A statement that is worth a plan of its own. */
export function preparable(text: string): string {
  return MARK + text;
}

/** The same pool, whose clients prepare what is marked. */
export function preparing(pool: PostgresPool): PostgresPool {
  const clients = new WeakMap<PostgresPoolClient, PostgresPoolClient>();
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    const name = names.get(text) ?? `mcp_tx_${hash('sha256', text, 'hex').slice(0, 24)}`; // the same in every ledger on this pool
    names.set(text, name);
    return name;
  };
  return new Proxy(pool, {
    get(target, key) {
      if (key !== 'connect') return passedOn(target, key);
      return async () => {
        const client = await target.connect();
        const known = clients.get(client) ?? preparingClient(client, nameOf);
        clients.set(client, known);
        return known;
      };
    },
  });
}

function preparingClient(client: PostgresPoolClient, nameOf: (text: string) => string): PostgresPoolClient {
  const run = client.query.bind(client) as (query: unknown, values?: unknown) => unknown;
  const query = (text: unknown, values?: unknown): unknown =>
    typeof text === 'string' && text.startsWith(MARK) ? run({ name: nameOf(text), text, values }) : run(text, values);
  return new Proxy(client, { get: (target, key) => (key === 'query' ? query : passedOn(target, key)) });
}

function passedOn(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target);
  return typeof value === 'function' ? value.bind(target) : value;
}
