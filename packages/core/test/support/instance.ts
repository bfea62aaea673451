/** An instance over a scripted server on a virtual clock, with short times. */
import type { McpTx, McpTxOptions, VirtualClock } from '../../src/index.ts';
import { createMcpTx, memoryLedger, virtualClock } from '../../src/index.ts';
import type { Ledger, LedgerReader } from '../../src/ledger.ts';
import type { Fate } from './scripted-connection.ts';
import { ScriptedServer } from './scripted-connection.ts';

/** Everything a test holds. */
export interface Instance {
  readonly tx: McpTx;
  readonly server: ScriptedServer;
  readonly clock: VirtualClock;
  readonly ledger: Ledger & LedgerReader;
}

/** 1,000 ms of deadline, 500 ms of grace, 100 ms of quiet, 3 sends without jitter: 10, 20, … ms apart. */
export async function instance(
  fatesInOrder: readonly Fate[] = [],
  options: Partial<McpTxOptions> = {},
  shared?: Omit<Instance, 'tx'> & Partial<Instance>,
): Promise<Instance> {
  const server = shared?.server ?? new ScriptedServer();
  server.fates.push(...fatesInOrder);
  const clock = shared?.clock ?? virtualClock();
  const ledger = shared?.ledger ?? memoryLedger({ clock });
  const tx = createMcpTx({
    server: server.source,
    name: 'test',
    ledger,
    clock,
    timeoutMs: 1_000,
    settleGraceMs: 500,
    quietMs: 100,
    leaseMs: 3_000,
    sweepIntervalMs: 0,
    retry: { baseDelayMs: 10, maxDelayMs: 100, jitter: 'none' },
    ...options,
  });
  await tx.initialize();
  return { tx, server, clock, ledger };
}

/** Lets `ms` pass until `promise` has settled, in steps of a millisecond. */
export async function within<T>(clock: VirtualClock, ms: number, promise: Promise<T>): Promise<T> {
  let isDone = false;
  const mark = (): void => {
    isDone = true;
  };
  promise.then(mark, mark);
  await clock.settle();
  for (let passed = 0; passed < ms && !isDone; passed += 1) await clock.advance(1);
  if (!isDone) throw new Error(`not settled within ${ms} ms of virtual time`);
  return promise;
}

/** A process that began `call` and then died: its clock stands still for ever, while the server and the ledger go on. */
export async function crashed(
  fatesInOrder: readonly Fate[],
  call: (tx: McpTx) => Promise<unknown>,
  options: Partial<McpTxOptions> = {},
): Promise<Instance> {
  const world = await instance();
  const dead = await instance(fatesInOrder, { ...options, clock: virtualClock(world.clock.now()) }, world);
  call(dead.tx).catch(() => undefined);
  await world.clock.settle();
  return { ...world, tx: dead.tx };
}
