/** Lets Kysely speak to `node:sqlite`. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Dialect, SqliteDatabase } from 'kysely';
import { SqliteDialect } from 'kysely';

/** Kysely on a handle that `open` opens when the first query comes. */
export function nodeSqliteDialect(open: () => DatabaseSync): Dialect {
  return new SqliteDialect({ database: async () => toKysely(open()) });
}

function toKysely(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql);
      return {
        reader: true, // nothing is written through Kysely, so that it need not be told apart
        all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
      };
    },
  };
}
