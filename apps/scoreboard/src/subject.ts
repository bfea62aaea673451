// What a subject of the scoreboard is: something that promises a word about running a function once per key.

/** How a call ended for its caller. */
export type Answer =
  | { readonly kind: 'result'; readonly receipt: string }
  /** Somebody else is at it, or the subject failed: nothing is known. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The subject says that it may have run. */
  | { readonly kind: 'in-doubt' };

/** The work: writes down in a file that it has happened, takes its time, and gives a receipt that differs each time. */
export type Effect = (key: string) => Promise<string>;

/** A store of the run's own, that several subjects can live in. */
export type StoreName = 'sqlite' | 'postgres' | 'mariadb' | 'redis';

/** Where it is: a file or a port. */
export interface StoreAddress {
  readonly file: string;
  readonly port: number;
}

/** A subject, opened in one process. */
export interface OpenSubject {
  call(key: string): Promise<Answer>;
  close(): Promise<void>;
}

/** A subject. */
export interface Subject {
  readonly label: string;
  readonly store: StoreName;
  /** What it promises, in the words of its own documentation, shortened. */
  readonly promises: string;
  readonly isOurs: boolean;
  /** Whether a second run after a lost holder is what it says it does, so that a second effect is no broken promise. */
  readonly mayRepeat: boolean;
  /** Opens it; the first one makes its tables. Its library is loaded here, and not by whoever looks at the list. */
  open(address: StoreAddress, effect: Effect, leaseMs: number): Promise<OpenSubject>;
}

/** The lease where a holder is to lose it, ms. */
export const LEASE_MS = 1_000;
/** The lease where nobody is to lose it, ms, however busy the machine is. */
export const LONG_LEASE_MS = 15_000;
