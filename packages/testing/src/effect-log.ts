/** Owns the effect log: what a tool server really did, written by the server itself, so that no counter of ours is believed. */
import type { CallIdentity } from './effect-log/call-identity.ts';
import { followJsonLines, openJsonLines, readJsonLines } from './effect-log/json-lines.ts';

/** One thing that really happened, as the server that did it wrote it down. */
export interface Effect extends Omit<CallIdentity, 'tool'> {
  /** Name of the tool that had the effect. */
  readonly effect: string;
  /** The arguments the tool was called with. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Differs for every effect, and is part of the tool's answer: it tells a replayed answer from a second run. */
  readonly receipt: string;
  /** The idempotency key the tool was given as an argument, if it takes one. */
  readonly key?: string;
  /** Wall clock, epoch milliseconds. */
  readonly at: number;
  readonly pid: number;
}

/** An open effect log. */
export interface EffectLog extends Disposable {
  /** Writes the effect down and returns only after it is on the disk: from then on it has happened. */
  append(effect: Effect): void;
  /** Everything in the file, also what other processes and earlier runs wrote. */
  read(): readonly Effect[];
  close(): void;
}

/** Opens an effect log for appending and creates it if need be; several processes may share one. */
export function openEffectLog(path: string): EffectLog {
  const lines = openJsonLines<Effect>(path);
  return {
    append: (effect) => lines.append(effect),
    read: followJsonLines<Effect>(path),
    close: () => lines.close(),
    [Symbol.dispose]: () => lines.close(),
  };
}

/**
 * Reads an effect log, in the order in which the effects happened. A missing file holds no effects; a torn last line is
 * an effect that never became durable and is left out.
 *
 * @throws Error when any other line is damaged.
 */
export function readEffectLog(path: string): readonly Effect[] {
  return readJsonLines<Effect>(path);
}

/**
 * Counts effects by one argument of the call, for example `countEffects(effects, 'orderId').get('order-7')`. Effects of
 * calls without that argument are not counted.
 */
export function countEffects(effects: readonly Effect[], argument: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { args } of effects) {
    if (args[argument] === undefined) continue;
    const value = String(args[argument]);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}
