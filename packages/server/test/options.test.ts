// What is refused at start, by name.
import { isMcpTxError, memoryLedger } from '@mcp-tx/core/ledger';
import { expect, it } from 'vitest';
import type { ServerTxOptions } from '../src/index.ts';
import { createServerTx, withMcpTx } from '../src/index.ts';
import { connect, v1McpServer } from './support/lines.ts';
import { text } from './support/tools.ts';

const make = (): object => v1McpServer({ pay: () => text('x') });
const good = (): ServerTxOptions => ({ ledger: memoryLedger(), scope: 'test' });
const lasting = { ...memoryLedger(), claim: () => undefined, durability: 'fsync', shared: true } as never;

it.each<[Partial<Record<keyof ServerTxOptions, unknown>>, RegExp]>([
  [{ ledger: undefined }, /ledger/],
  [{ ledger: {} }, /ledger/],
  [{ scope: undefined }, /scope/],
  [{ scope: '' }, /scope/],
  [{ ledger: lasting }, /name is required/],
  [{ name: '' }, /name is empty/],
  [{ leaseMs: 0 }, /leaseMs/],
  [{ retentionMs: Number.NaN }, /retentionMs/],
  [{ onCancel: 'ignore' }, /onCancel/],
  [{ transactional: 'pay' }, /transactional must be a list/],
  [{ transactional: ['pay'] }, /ledger with transactions/],
])('%j is refused', (wrong, words) => {
  const problem = caught(() => createServerTx({ ...good(), ...wrong } as never));
  expect(isMcpTxError(problem) && problem.code).toBe('CONFIG_INVALID');
  expect((problem as Error).message).toMatch(words);
});

it('a server that is no server, wrapped already or connected already is refused', async () => {
  expect(caught(() => withMcpTx({}, good()))).toMatchObject({ code: 'CONFIG_INVALID' });
  const twice = withMcpTx(make(), good());
  expect(caught(() => withMcpTx(twice, good()))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('already'),
  });
  const connected = make();
  await using _caller = await connect(connected);
  expect(caught(() => withMcpTx(connected, good()))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('before'),
  });
});

function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
