import { expect, it } from 'vitest';
import { lambdaDefaults } from '../src/index.ts';

it('a function has 25 seconds, two sends, and nothing in the background', () => {
  expect(lambdaDefaults()).toEqual({
    timeoutMs: 25_000,
    retry: { maxAttempts: 2, baseDelayMs: 500 },
    renewLeases: false,
    settleGraceMs: 0,
    sweepIntervalMs: 0,
  });
  expect(lambdaDefaults({ MCP_TX_TIMEOUT_MS: '9000' }).timeoutMs).toBe(9_000);
});
