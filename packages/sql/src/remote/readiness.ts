/** Finds out at the first use whether a database server will do: reachable, of this version, as durable as was said. */
import type { Durability } from '@mcp-tx/core/ledger';
import { McpTxError } from '@mcp-tx/core/ledger';
import type { Kysely } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { LedgerTables } from '../operations/tables.ts';
import type { Flavour } from './flavour.ts';
import { createdAt, requireLatest, versionOf } from './migrate.ts';

/** What was said of the server. */
export interface Expectations {
  readonly durability: Durability;
  readonly migrate: 'auto' | 'check' | 'off';
  readonly connectTimeoutMs: number;
}

/** Asks once; a failure is forgotten, so that the next use asks again. */
export class Readiness {
  readonly #db: Kysely<LedgerTables>;
  readonly #flavour: Flavour;
  readonly #expects: Expectations;
  /** Since when the tables are there, by the server's clock; known after the first use. */
  createdAt: number | undefined;
  /** Nothing is left to ask. */
  isReady = false;
  #asked: Promise<void> | undefined;

  constructor(db: Kysely<LedgerTables>, flavour: Flavour, expects: Expectations) {
    this.#db = db;
    this.#flavour = flavour;
    this.#expects = expects;
  }

  /** @throws McpTxError `LEDGER_UNAVAILABLE`, `LEDGER_VERSION`, `CONFIG_INVALID` */
  wait(): Promise<void> {
    if (this.#asked === undefined) {
      const asked = this.#ask();
      this.#asked = asked;
      asked.catch(() => {
        if (this.#asked === asked) this.#asked = undefined;
      });
    }
    return this.#asked;
  }

  async #ask(): Promise<void> {
    await this.#inTime(this.#requireDurability());
    const { migrate } = this.#expects;
    if (migrate === 'auto') await this.#flavour.migrate(this.#db);
    if (migrate === 'check') requireLatest(await versionOf(this.#db));
    this.createdAt = await createdAt(this.#db).catch((error) => {
      if (migrate !== 'off') throw error; // else the list of migrations may be somewhere else
      return undefined;
    });
    this.isReady = true;
  }

  async #requireDurability(): Promise<void> {
    const { rows } = await this.#db.executeQuery<{ readonly value: unknown }>(CompiledQuery.raw(this.#flavour.syncs));
    if (Number(rows[0]?.value) === 1 || this.#expects.durability !== 'fsync') return;
    const message =
      "The server acknowledges commits that are not on its disk yet. Turn that off, or say durability: 'async'.";
    throw new McpTxError('CONFIG_INVALID', message);
  }

  /** A pool of another kind than the dialect's never calls back, and nothing would ever happen. */
  async #inTime(work: Promise<void>): Promise<void> {
    const { connectTimeoutMs } = this.#expects;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `The database did not answer in ${connectTimeoutMs} ms. With mysql2: give the dialect a pool of 'mysql2', not of 'mysql2/promise'.`;
      timer = setTimeout(() => reject(new McpTxError('LEDGER_UNAVAILABLE', message)), connectTimeoutMs);
    });
    work.catch(() => undefined); // it may fail after we gave up
    await Promise.race([work, late]).finally(() => clearTimeout(timer));
  }
}
