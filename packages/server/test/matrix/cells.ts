// The table of the two-sided matrix: which client meets which server over what, what goes wrong, and what has to come of it.

const CLIENTS = ['SDK v1', 'SDK v2, legacy', 'SDK v2, 2026-07-28'] as const;
const SERVERS = ['SDK v1', 'SDK v2'] as const;
const TRANSPORTS = ['stdio', 'HTTP', 'in-memory'] as const;

export type ClientKind = (typeof CLIENTS)[number];
export type ServerKind = (typeof SERVERS)[number];
type TransportKind = (typeof TRANSPORTS)[number];

export interface Cell {
  readonly client: ClientKind;
  readonly server: ServerKind;
  readonly transport: TransportKind;
}

/** Why a pair cannot be; `undefined`: it can. */
export function impossible({ client, server }: Cell): string | undefined {
  return client === 'SDK v2, 2026-07-28' && server === 'SDK v1' ? 'SDK v1 does not speak 2026-07-28' : undefined;
}

/** What goes wrong. It is also the beginning of the order's name, by which the server knows what to do to it, once. */
export const FAULTS = [
  'response-dropped',
  'killed-answering', // the server, between its record and the answer
  'killed-before', // the server, between its record that a call came, and the effect
  'killed-after', // the server, between the effect and its record
  'client-killed', // after the effect, before the answer
  'concurrent',
  'late-duplicate', // of a call that failed
] as const;

export type Fault = (typeof FAULTS)[number];

/** What must be found: effects in the log, and what every caller is told. */
export interface Expected {
  readonly effects: number;
  readonly told: 'completed' | 'in doubt';
}

/** In one process with its client, a server that dies takes the client along, and the other way round. */
export function expected(fault: Fault, { transport }: Cell): Expected {
  switch (fault) {
    case 'killed-before':
      return { effects: 0, told: 'in doubt' };
    case 'killed-after':
      return { effects: 1, told: 'in doubt' };
    case 'client-killed':
      return { effects: 1, told: transport === 'in-memory' ? 'in doubt' : 'completed' };
    case 'late-duplicate':
      return { effects: 0, told: 'completed' };
    default:
      return { effects: 1, told: 'completed' };
  }
}

/** Every cell, the impossible ones as well. */
export const CELLS: readonly Cell[] = CLIENTS.flatMap((client) =>
  SERVERS.flatMap((server) => TRANSPORTS.map((transport) => ({ client, server, transport }))),
);
