/** The options of an instance that lives in a function: its defaults, and nothing that needs time between two invocations. */
import type { McpTxOptions } from '@mcp-tx/core';
import type { HostEnvironment } from '@mcp-tx/core/http';
import { hostDefaults } from '@mcp-tx/core/http';

/** Options of `createMcpTx` that a function needs. */
export type LambdaDefaults = Pick<
  McpTxOptions,
  'timeoutMs' | 'retry' | 'renewLeases' | 'settleGraceMs' | 'sweepIntervalMs'
>;

/**
 * 25 seconds and two sends, as the environment changes them; no background work. A lease lasts as long as its call, so that an
 * invocation that was killed keeps nobody waiting longer than it could have run itself.
 *
 * @example
 * createMcpTx({ ...lambdaDefaults(process.env), name: 'payments', server: http({ url }), ledger })
 *
 * @throws McpTxError `CONFIG_INVALID`, naming the variable
 */
export function lambdaDefaults(environment: HostEnvironment = {}): LambdaDefaults {
  return { ...hostDefaults('lambda', environment), renewLeases: false, settleGraceMs: 0, sweepIntervalMs: 0 };
}
