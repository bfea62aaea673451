/** A vitest fixture that makes fake instances and closes them after the test. */
import type { TestAPI } from 'vitest';
import { test } from 'vitest';
import type { FakeMcpTx, FakeMcpTxOptions } from '../fake-mcp-tx.ts';
import { createFakeMcpTx } from '../fake-mcp-tx.ts';

/** What a test gets: a function that makes an instance. */
export interface FakeMcpTxFixture {
  readonly fakeMcpTx: (options: FakeMcpTxOptions) => FakeMcpTx;
}

/**
 * `test` with `fakeMcpTx`.
 *
 * @example
 * mcpTxTest('charges once', async ({ fakeMcpTx, expect }) => {
 *   const fake = fakeMcpTx({ tools: { charge: () => 'ok' } });
 *   …
 * });
 */
export const mcpTxTest: TestAPI<FakeMcpTxFixture> = test.extend<FakeMcpTxFixture>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of fixtures from the pattern
  fakeMcpTx: async ({}, use) => {
    const made: FakeMcpTx[] = [];
    await use((options) => {
      const fake = createFakeMcpTx(options);
      made.push(fake);
      return fake;
    });
    for (const fake of made) await fake[Symbol.asyncDispose]();
  },
});
