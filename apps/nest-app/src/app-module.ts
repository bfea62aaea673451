/** The application: two connections that share one ledger, the shop's controllers, and health. */
import { McpTxModule } from '@mcp-tx/nest';
import { McpTxHealthIndicator } from '@mcp-tx/nest/terminus';
import type { SqliteLedger } from '@mcp-tx/sql/sqlite';
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { catalogueOptions, paymentsOptions, SHOP_TOOLS } from 'shop';
import { CatalogueController } from './catalogue-controller.ts';
import { DoubtsController } from './doubts-controller.ts';
import { HealthController } from './health-controller.ts';
import { LedgerModule, SETTINGS, SHOP_LEDGER } from './ledger-module.ts';
import { OrdersController } from './orders-controller.ts';

@Module({
  imports: [
    LedgerModule,
    TerminusModule,
    McpTxModule.forRootAsync({
      exceptionFilter: true,
      imports: [LedgerModule],
      inject: [SETTINGS, SHOP_LEDGER],
      useFactory: (settings: Parameters<typeof paymentsOptions>[0], ledger: SqliteLedger) => ({
        ...paymentsOptions(settings, ledger),
        authenticate: 'single-tenant' as const,
        http: { path: '/mcp/payments', tools: SHOP_TOOLS.payments },
      }),
    }),
    McpTxModule.forRootAsync({
      connectionName: 'catalogue',
      imports: [LedgerModule],
      inject: [SHOP_LEDGER],
      useFactory: (ledger: SqliteLedger) => ({
        ...catalogueOptions(ledger),
        authenticate: 'single-tenant' as const,
        http: { path: '/mcp/catalogue', tools: SHOP_TOOLS.catalogue },
      }),
    }),
  ],
  controllers: [OrdersController, CatalogueController, DoubtsController, HealthController],
  providers: [McpTxHealthIndicator],
})
export class AppModule {}
