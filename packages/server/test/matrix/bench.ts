// The folder of a cell: effects as the tools wrote them down, faults as they were injected, and both ledgers.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEffectLog, readEffectLog } from '@mcp-tx/testing/faulty-server';
import type { Fault } from './cells.ts';
import { FAULTS } from './cells.ts';

export interface Bench {
  readonly folder: string;
  /** True for the first to ask, in whatever process: the fault is to happen now. */
  isDue(fault: Fault, orderId: unknown): boolean;
  /** Names of the faults that happened. */
  injected(): readonly string[];
  addEffect(orderId: string, receipt: string): void;
  effectsOf(orderId: string): number;
}

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'mcp-tx-matrix-'));
}

export function benchIn(folder: string): Bench {
  const log = join(folder, 'effects.jsonl');
  const effects = openEffectLog(log);
  return {
    folder,
    isDue(fault, orderId) {
      if (orderId !== fault) return false;
      const mark = join(folder, `${fault}.fault`);
      if (existsSync(mark)) return false;
      writeFileSync(mark, String(process.pid));
      return true;
    },
    injected: () => FAULTS.filter((fault) => readdirSync(folder).includes(`${fault}.fault`)),
    addEffect: (orderId, receipt) =>
      effects.append({ effect: 'pay', args: { orderId }, receipt, at: Date.now(), pid: process.pid } as never),
    effectsOf: (orderId) => readEffectLog(log).filter(({ args }) => args.orderId === orderId).length,
  };
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** The orders that a frame asks for or answers can be told by this. */
export function orderIn(frame: unknown): unknown {
  const params = (frame as { params?: { arguments?: { orderId?: unknown } } }).params;
  return params?.arguments?.orderId;
}
