/** What the environment says about the shop, and the defaults. */
import { resolve } from 'node:path';
import type { PaymentFault } from './payment-fault.ts';
import { faultsIn } from './payment-fault.ts';

/** How a shop is set up. */
export interface ShopSettings {
  /** Where the ledger and the payment log lie. */
  readonly folder: string;
  /** How long the bank takes for a charge, ms. */
  readonly chargeMs: number;
  /** Orders for which the payments server fails. */
  readonly faults: ReadonlyMap<string, PaymentFault>;
}

const DEFAULT_CHARGE_MS = 2_000;

/**
 * Reads `SHOP_FOLDER` (default: `.data` below `home`), `SHOP_CHARGE_MS` (default 2,000) and `SHOP_FAULTS`.
 *
 * @throws Error when one of them cannot be
 */
export function shopSettings(home: string, env: Readonly<Record<string, string | undefined>>): ShopSettings {
  const chargeMs = Number(env.SHOP_CHARGE_MS ?? DEFAULT_CHARGE_MS);
  if (!Number.isInteger(chargeMs) || chargeMs < 0) throw new Error('SHOP_CHARGE_MS must be a whole number of ms');
  return { folder: resolve(home, env.SHOP_FOLDER ?? '.data'), chargeMs, faults: faultsIn(env.SHOP_FAULTS ?? '') };
}
