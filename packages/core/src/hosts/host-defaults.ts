/** The one table of defaults for hosts, and the environment variables that change them. */
import { McpTxError } from '../outcome/tx-error.ts';
import type { RetrySettings } from '../policy/settings.ts';

/** What kind of host calls are made in: web servers, workers of a queue, functions that are frozen between two calls. */
export type HostKind = 'web' | 'job' | 'lambda';

/** Options of `createMcpTx` that a host has an opinion about. */
export interface HostDefaults {
  /** Total deadline of a call, ms. */
  readonly timeoutMs: number;
  readonly retry: Pick<RetrySettings, 'maxAttempts' | 'baseDelayMs'>;
}

/** Waits before the second send are shorter where the whole time is short. */
export const HOST_DEFAULTS: Readonly<Record<HostKind, HostDefaults>> = {
  web: { timeoutMs: 30_000, retry: { maxAttempts: 3, baseDelayMs: 1_000 } },
  job: { timeoutMs: 60_000, retry: { maxAttempts: 5, baseDelayMs: 1_000 } },
  lambda: { timeoutMs: 25_000, retry: { maxAttempts: 2, baseDelayMs: 500 } },
};

/** What is read of a host's environment. */
export type HostEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The defaults of a host, as its environment changes them: `MCP_TX_TIMEOUT_MS`, `MCP_TX_BASE_DELAY_MS`, and
 * `MCP_TX_MAX_ATTEMPTS`, or `MCP_TX_MAX_RETRIES` as the Python original calls that same number. An empty variable says nothing.
 *
 * @example
 * createMcpTx({ ...hostDefaults('web', process.env), server: http({ url }) })
 *
 * @throws McpTxError `CONFIG_INVALID`, naming the variable
 */
export function hostDefaults(kind: HostKind, environment: HostEnvironment = {}): HostDefaults {
  const { timeoutMs, retry } = HOST_DEFAULTS[kind];
  const read = (name: string, least: number): number | undefined => wholeNumber(environment, name, least);
  return {
    timeoutMs: read('MCP_TX_TIMEOUT_MS', 1) ?? timeoutMs,
    retry: {
      maxAttempts: read('MCP_TX_MAX_ATTEMPTS', 1) ?? read('MCP_TX_MAX_RETRIES', 1) ?? retry.maxAttempts,
      baseDelayMs: read('MCP_TX_BASE_DELAY_MS', 0) ?? retry.baseDelayMs,
    },
  };
}

function wholeNumber(environment: HostEnvironment, name: string, least: number): number | undefined {
  const text = environment[name]?.trim() ?? '';
  if (text === '') return undefined;
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= least && value <= 2_147_483_647) return value;
  throw new McpTxError(
    'CONFIG_INVALID',
    `${name} must be a whole number of ${least} or more, not ${JSON.stringify(text)}`,
  );
}
