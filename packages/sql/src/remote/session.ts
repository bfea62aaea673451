/** Runs steps in a transaction of a database server, once more where two transactions were in each other's way. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { Executor } from '../operations/run-steps.ts';
import { runSteps } from '../operations/run-steps.ts';
import type { Steps } from '../operations/steps.ts';
import type { LedgerTables } from '../operations/tables.ts';
import type { Flavour } from './flavour.ts';
import type { StoreClock } from './store-clock.ts';

const MAX_TRIES = 10;
const MAX_PAUSE_MS = 60;

/** Runs `work` in one transaction, by the store's clock. @throws what the driver throws */
export function inTransaction<T>(
  db: Kysely<LedgerTables>,
  flavour: Flavour,
  clock: StoreClock | undefined,
  work: (now: number) => Steps<T>,
): Promise<T> {
  const always = (): boolean => true;
  return transact(db, flavour, always, async (transaction) =>
    runSteps(transaction, flavour, work(await storeTime(transaction, flavour, clock)), true),
  );
}

/** Runs `body` in a transaction, and anew where another one was in its way and `mayRepeat`. @throws what the driver throws */
export async function transact<T>(
  db: Kysely<LedgerTables>,
  flavour: Flavour,
  mayRepeat: () => boolean,
  body: (transaction: Kysely<LedgerTables>) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await db.transaction().setIsolationLevel('read committed').execute(body);
    } catch (error) {
      if (!flavour.isTransient(error) || !mayRepeat() || tries === MAX_TRIES) throw error;
    }
    await sleep(MAX_PAUSE_MS * Math.random() * (tries / MAX_TRIES));
  }
}

/** Runs steps that only read, each for itself. */
export async function reading<T>(
  db: Kysely<LedgerTables>,
  flavour: Flavour,
  clock: StoreClock | undefined,
  work: (now: number) => Steps<T>,
): Promise<T> {
  return runSteps(db, flavour, work(await storeTime(db, flavour, clock)), false);
}

/** The server's clock, or the one that stands for it in a test. */
export async function storeTime(db: Executor, flavour: Flavour, clock: StoreClock | undefined): Promise<number> {
  if (clock !== undefined) return clock.now();
  const { rows } = await db.executeQuery<{ readonly ms: unknown }>(CompiledQuery.raw(flavour.now));
  return Number(rows[0]?.ms);
}
