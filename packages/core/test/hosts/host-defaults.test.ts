import { expect, it } from 'vitest';
import { HOST_DEFAULTS, hostDefaults } from '../../src/http.ts';

it('each kind of host has its own', () => {
  const of = (kind: 'web' | 'job' | 'lambda') => [
    hostDefaults(kind).timeoutMs,
    hostDefaults(kind).retry.maxAttempts,
    hostDefaults(kind).retry.baseDelayMs,
  ];
  expect([of('web'), of('job'), of('lambda')]).toEqual([
    [30_000, 3, 1_000],
    [60_000, 5, 1_000],
    [25_000, 2, 500],
  ]);
});

it('the environment changes them', () => {
  const environment = { MCP_TX_TIMEOUT_MS: '5000', MCP_TX_MAX_ATTEMPTS: '7', MCP_TX_BASE_DELAY_MS: '0' };
  expect(hostDefaults('web', environment)).toEqual({ timeoutMs: 5_000, retry: { maxAttempts: 7, baseDelayMs: 0 } });
  expect(hostDefaults('web', { MCP_TX_MAX_RETRIES: '4' }).retry.maxAttempts).toBe(4);
  expect(hostDefaults('job', { MCP_TX_TIMEOUT_MS: ' ' })).toEqual(HOST_DEFAULTS.job);
});

it.each(['0', '-1', '1.5', '30s', 'NaN', '99999999999'])('a timeout of %j is refused by name', (MCP_TX_TIMEOUT_MS) => {
  expect(() => hostDefaults('web', { MCP_TX_TIMEOUT_MS })).toThrow(/MCP_TX_TIMEOUT_MS/);
});
