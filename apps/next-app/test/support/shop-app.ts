/** Starts the app on a folder of its own, and looks at the payments server's own log. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Charge } from 'shop';
import { paymentLogPath, readCharges } from 'shop';
import type { NextServer } from './next-server.ts';
import { startNext } from './next-server.ts';

const APP = join(import.meta.dirname, '..', '..');

/** A running app. */
export interface ShopApp extends NextServer, AsyncDisposable {
  /** Money that was taken for an order: what really happened. */
  charges(orderId: string): readonly Charge[];
}

/** How to start it. */
export interface ShopAppOptions {
  readonly chargeMs?: number;
  readonly faults?: string;
  /** Default `start`, which takes the app as it was built. */
  readonly mode?: 'start' | 'dev';
  /** Where a copy of the app lies. */
  readonly app?: string;
}

/** Starts it, and waits until it listens. */
export async function startApp(options: ShopAppOptions = {}): Promise<ShopApp> {
  const { chargeMs = 400, faults = '', mode = 'start', app = APP } = options;
  const folder = mkdtempSync(join(tmpdir(), 'shop-app-'));
  const own = { SHOP_FOLDER: folder, SHOP_CHARGE_MS: String(chargeMs), SHOP_FAULTS: faults };
  const server = await startNext(mode, app, own);
  return {
    ...server,
    charges: (orderId) => readCharges(paymentLogPath(folder)).filter((charge) => charge.orderId === orderId),
    async [Symbol.asyncDispose]() {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
