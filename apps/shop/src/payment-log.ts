/** The log of the payments server: one line per charge, on the disk before the charge counts as made. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Money that was taken. */
export interface Charge {
  readonly id: string;
  readonly orderId: string;
  readonly amount: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Where the payments server of a folder writes its log. */
export function paymentLogPath(folder: string): string {
  return join(folder, 'payments.jsonl');
}

/** Writes a charge down; when this returns, it is on the disk. */
export function appendCharge(path: string, charge: Charge): void {
  appendFileSync(path, `${JSON.stringify(charge)}\n`, { flush: true });
}

/** Every charge there is. A last line without its end never became a charge. */
export function readCharges(path: string): readonly Charge[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Charge);
}
