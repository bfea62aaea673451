/** The ledger that both connections write to. Whoever opens it closes it: after the connections, which end before it. */
import { fileURLToPath } from 'node:url';
import type { SqliteLedger } from '@mcp-tx/sql/sqlite';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { ShopSettings } from 'shop';
import { openShopLedger, shopSettings } from 'shop';

export const SETTINGS = Symbol('settings of the shop');
export const SHOP_LEDGER = Symbol('ledger of the shop');

const home = fileURLToPath(new URL('..', import.meta.url));

@Module({
  providers: [
    { provide: SETTINGS, useFactory: () => shopSettings(home, process.env) },
    { provide: SHOP_LEDGER, inject: [SETTINGS], useFactory: (settings: ShopSettings) => openShopLedger(settings) },
  ],
  exports: [SETTINGS, SHOP_LEDGER],
})
export class LedgerModule implements OnApplicationShutdown {
  constructor(@Inject(SHOP_LEDGER) private readonly ledger: SqliteLedger) {}

  async onApplicationShutdown(): Promise<void> {
    await this.ledger.close();
  }
}
