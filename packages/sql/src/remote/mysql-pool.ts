/** Runs a statement on any connection of a pool of `mysql2`, with nothing between. */
import type { MysqlPool } from 'kysely';
import type { RunStatement, StatementAnswer } from './flavour.ts';

/** What every pool of `mysql2` can do, and what Kysely does not ask of it. */
interface QueryingPool {
  query(text: string, values: readonly unknown[], done: (error: unknown, answer: unknown) => void): void;
}

export function throughMysql(pool: MysqlPool): RunStatement {
  return (text, values) =>
    new Promise((resolve, reject) => {
      (pool as unknown as QueryingPool).query(text, values, (error, answer) => {
        if (error) reject(error);
        else resolve(Array.isArray(answer) ? { rows: answer, affectedRows: 0 } : { rows: [], ...headerOf(answer) });
      });
    });
}

function headerOf(answer: unknown): Omit<StatementAnswer, 'rows'> {
  const { affectedRows, insertId } = answer as { readonly affectedRows: number; readonly insertId: unknown };
  return { affectedRows, insertId: Number(insertId) }; // a text in pools that are told so
}
