/** What one server is asked to do, each thing once, and how to see from outside what it really did. */

/** The servers of the demo. */
export const SERVERS = ['filesystem', 'payments'] as const;

export type ServerName = (typeof SERVERS)[number];

/** One thing that shall happen once. */
export interface Operation {
  /** The caller's name for it: its idempotency key. */
  readonly key: string;
  /** The same for people. */
  readonly title: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** The work for one server. */
export interface Lane {
  readonly server: ServerName;
  readonly tool: string;
  readonly operations: readonly Operation[];
  /** How often each operation has happened, by key: counted in what the server left on the disk, never in our own records. */
  effects(): ReadonlyMap<string, number>;
}

/** Numbers of the operations of a lane, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The whole numbers of a range. */
export function numbersOf({ from, to }: Range): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
