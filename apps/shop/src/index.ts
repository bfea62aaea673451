/** What the example apps, and the demo, take from the shop. Names only; no code. */
export type { Command, PaymentsStart } from './commands.ts';
export { CATALOGUE_FOLDER, FASTER_STARTS, filesystemCommand, paymentsCommand } from './commands.ts';
export type { PaymentFault } from './payment-fault.ts';
export type { Charge } from './payment-log.ts';
export { paymentLogPath, readCharges } from './payment-log.ts';
export { probeCharge } from './probe-charge.ts';
export type { ShopSettings } from './settings.ts';
export { shopSettings } from './settings.ts';
export type { ShopServer } from './shop.ts';
export { catalogueOptions, openShopLedger, paymentsOptions, SHOP_RULES, SHOP_TOOLS } from './shop.ts';
