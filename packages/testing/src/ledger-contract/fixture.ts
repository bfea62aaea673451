/** What a ledger brings along to be put through the contract, and the form of a case. */
import type { Ledger, LedgerReader } from '@mcp-tx/core/ledger';

/** What a case needs of a fixture beyond `open`. `durable`: `reopen`; `shared`: `worker`; `clock`: `advance`; `outage`: `breakStore`. */
export type LedgerNeed = 'durable' | 'shared' | 'clock' | 'outage';

/** One statement about every ledger. Runs under any test runner: it throws when the statement is false. */
export interface LedgerCase {
  readonly id: `ledger:${string}`;
  /** The statement; `[G:I4]` names the guarantee it proves. */
  readonly title: string;
  readonly needs: readonly LedgerNeed[];
  run(fixture: LedgerFixture): Promise<void>;
}

/** A ledger that can also be looked through. */
export type ReadableLedger = Ledger & LedgerReader;

/** An empty store of the ledger under test; made anew for each case. */
export interface LedgerFixture {
  /** Opens a ledger on the store. Called once a case, and again only by cases that need `durable`. */
  open(): Promise<ReadableLedger>;
  /** Closes what is open and opens the same store again, as a new process would. */
  reopen?(): Promise<ReadableLedger>;
  /** The store seen with its own eyes: through its own client, not through the ledger. */
  rawRecord(operationId: string): Promise<RawRecord | undefined>;
  /** Lets `ms` pass on the store's clock, or really waits so long. */
  advance?(ms: number): Promise<void>;
  /** How another process opens the same store, with the machine's clock. */
  readonly worker?: LedgerWorker;
  /** Makes every write fail until the returned function is called. */
  breakStore?(): Promise<() => Promise<void>>;
  /** Closes everything and removes the store. */
  close(): Promise<void>;
}

/** What the store itself holds of an operation. */
export interface RawRecord {
  readonly state: string;
  readonly fence: number;
  readonly attempts: number;
  /** The result's text, where there is one. */
  readonly result?: string | undefined;
}

/** How a child process opens the store of a fixture. */
export interface LedgerWorker {
  /** URL of a module that exports `openLedger(argument: string): Promise<Ledger & LedgerReader>`. */
  readonly module: string;
  readonly argument: string;
  /** Flags for Node, such as `--conditions=…`. */
  readonly execArgv?: readonly string[];
}
