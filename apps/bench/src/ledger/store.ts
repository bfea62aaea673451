// What a store brings along to be measured: private, on a disk that syncs; our ledger over it, the bare driver, and peers.
import type { Ledger } from '@mcp-tx/core/ledger';
import type { Subject } from './subject.ts';

/** A ledger through a way to the store that may be a proxy. */
interface OpenLedger extends AsyncDisposable {
  readonly ledger: Ledger;
}

/** What does something like it, as it is installed from npm. */
interface Peer {
  /** As in the figures: `dbosSteps`. */
  readonly id: string;
  /** With its version. */
  readonly says: string;
  open(): Promise<Subject>;
}

/** A ratio that the run must reach. */
interface Goal {
  readonly id: string;
  /** Calls in flight. */
  readonly callers: number;
  /** `bare`, or the id of a peer. */
  readonly over: string;
  readonly atLeast: number;
  /** Calls per second with which it is reached, too. */
  readonly orPerSecond?: number;
}

/** A store under measurement. */
export interface Store extends AsyncDisposable {
  readonly name: string;
  /** What the bare driver does for a call. */
  readonly bareSays: string;
  /** Where it listens; `undefined`: in this process. */
  readonly port: number | undefined;
  openLedger(port: number | undefined): Promise<OpenLedger>;
  openBare(): Promise<Subject>;
  readonly peers: readonly Peer[];
  readonly goals: readonly Goal[];
}
