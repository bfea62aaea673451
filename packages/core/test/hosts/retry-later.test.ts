import { expect, it } from 'vitest';
import { retryAtOf, retryLaterOf } from '../../src/hosts/retry-later.ts';
import { McpTxError, systemRandom } from '../../src/index.ts';

const random = systemRandom();
const settings = retryLaterOf({ baseDelayMs: 1_000, maxDelayMs: 8_000 });
const away = new McpTxError('CONNECTION_FAILED', 'away');

it('a hundred jobs that met one outage come back spread over the whole window (T11)', () => {
  const at = Array.from({ length: 100 }, () => retryAtOf(away, 3, settings, { now: 0, random }));
  expect(Math.max(...at)).toBeLessThanOrEqual(8_000);
  expect(Math.max(...at) - Math.min(...at)).toBeGreaterThan(4_000);
});

it('nobody comes before the server’s word, and not all at its very moment', () => {
  const busy = new McpTxError('SERVER_BUSY', 'busy', { retryAt: 5_000 });
  const at = Array.from({ length: 100 }, () => retryAtOf(busy, 0, settings, { now: 1_000, random }));
  expect(Math.min(...at)).toBeGreaterThanOrEqual(5_000);
  expect(new Set(at).size).toBeGreaterThan(50);
});

it('who waits for another process looks before its lease ends', () => {
  const other = new McpTxError('IN_PROGRESS', 'busy', { retryAt: 60_000 });
  expect(retryAtOf(other, 0, settings, { now: 0, random })).toBeLessThanOrEqual(1_000);
});

it('waits grow up to their maximum', () => {
  const steady = { ...settings, jitter: 'none' } as const;
  const waits = [0, 1, 2, 3, 4].map((returns) => retryAtOf(away, returns, steady, { now: 0, random }));
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
});
