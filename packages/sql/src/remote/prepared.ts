/** Lets PostgreSQL plan the ledger's own statements once per connection: they go out under a name, all others as they are. */
import { hash } from 'node:crypto';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { RunStatement } from './flavour.ts';

/** What marks a statement of ours; a pool that knows nothing of it sends it as a comment. */
const MARK = '/* mcp-tx */ ';

/** A statement that is worth a plan of its own. */
export function preparable(text: string): string {
  return MARK + text;
}

/** The same pool, whose clients prepare what is marked. */
export function preparing(pool: PostgresPool): PostgresPool {
  const clients = new WeakMap<PostgresPoolClient, PostgresPoolClient>();
  const nameOf = naming();
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

/**
 * Runs a marked statement on any connection of a `pg.Pool`, with nothing between: what Kysely does around each statement costs as
 * much as the driver does. `undefined` for what only looks like such a pool.
 */
export function straightTo(pool: PostgresPool, prepare: boolean): RunStatement | undefined {
  const { query } = pool as unknown as Partial<QueryingPool>;
  if (typeof query !== 'function') return undefined;
  const run = query.bind(pool);
  const nameOf = naming();
  return async (text, values) => {
    const { rows, rowCount } = await run(prepare ? { name: nameOf(text), text, values } : { text, values });
    return { rows, affectedRows: rowCount ?? 0 };
  };
}

interface QueryingPool {
  query(query: {
    readonly name?: string;
    readonly text: string;
    readonly values: readonly unknown[];
  }): Promise<{ readonly rows: readonly unknown[]; readonly rowCount: number | null }>;
}

/** Uses of a statement after which it is planned anew for the first time; then after 8 times as many, and so on. */
const FIRST_PLAN = 64;

/**
 * Names statements by their text: alike in every ledger on a pool. A plan that was made while a table was small reads all of it, and
 * is kept until the server looks at the table again, a minute later: so a statement has another name, and a new plan, as it grows.
 */
function naming(): (text: string) => string {
  const names = new Map<string, { readonly name: string; uses: number; plan: number }>();
  return (text) => {
    const known = names.get(text) ?? { name: `mcp_tx_${hash('sha256', text, 'hex').slice(0, 24)}`, uses: 0, plan: 0 };
    names.set(text, known);
    known.uses += 1;
    if (known.uses > FIRST_PLAN * 8 ** known.plan) known.plan += 1;
    return known.plan === 0 ? known.name : `${known.name}_${known.plan}`;
  };
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
