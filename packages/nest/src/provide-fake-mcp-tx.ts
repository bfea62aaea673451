/** Providers that stand in for a connection in a test, over an instance that the test has made. */
import type { McpTx } from '@mcp-tx/core';
import type { FactoryProvider, Provider, ValueProvider } from '@nestjs/common';
import { McpTxService } from './mcp-tx-service.ts';
import { getMcpTxServiceToken, getMcpTxToken } from './tokens.ts';

/**
 * Provides `tx` (`createFakeMcpTx(…).tx` of `@mcp-tx/testing`) as a connection, without its module. In a whole application say
 * `overrideProvider(getMcpTxToken()).useValue(tx)` instead.
 */
export function provideFakeMcpTx(tx: McpTx, connectionName?: string): Provider[] {
  const client: ValueProvider = { provide: getMcpTxToken(connectionName), useValue: tx };
  const service: FactoryProvider = {
    provide: getMcpTxServiceToken(connectionName),
    inject: [client.provide],
    useFactory: (instance: McpTx) => new McpTxService(instance),
  };
  return connectionName === undefined
    ? [client, service, { provide: McpTxService, useExisting: service.provide }]
    : [client, service];
}
