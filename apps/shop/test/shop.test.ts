/** Proves that the shop is what the apps take it for: effects are seen in its log alone, and its tools keep their rules. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { McpTx, Progress } from '@mcp-tx/core';
import { createMcpTx } from '@mcp-tx/core';
import type { SqliteLedger } from '@mcp-tx/sql/sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  catalogueOptions,
  openShopLedger,
  paymentLogPath,
  paymentsOptions,
  probeCharge,
  readCharges,
  SHOP_TOOLS,
  shopSettings,
} from '../src/index.ts';

const FAULTS = 'order-13=crash-after-effect,order-14=crash-before-effect';

let folder: string;
let ledger: SqliteLedger;
let payments: McpTx;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shop-test-'));
  const settings = shopSettings('/nowhere', { SHOP_FOLDER: folder, SHOP_CHARGE_MS: '20', SHOP_FAULTS: FAULTS });
  ledger = openShopLedger(settings);
  payments = createMcpTx(paymentsOptions(settings, ledger));
});
afterEach(async () => {
  await payments.close({ graceMs: 0 });
  await ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

const charges = (orderId: string) => readCharges(paymentLogPath(folder)).filter((charge) => charge.orderId === orderId);
const charge = (orderId: string, amount = 1_290) =>
  payments.tryCallTool('charge', { orderId, amount }, { idempotencyKey: `order:${orderId}` });

it('charges an order once however often it is asked under its key, and says how far it is', async () => {
  const steps: Progress[] = [];
  const onProgress = (progress: Progress) => void steps.push(progress);
  const options = { idempotencyKey: 'order:1', onProgress };
  const first = await payments.callTool('charge', { orderId: '1', amount: 1_290 }, options);
  const second = await payments.callTool('charge', { orderId: '1', amount: 1_290 }, options);
  expect([first.meta.duplicate, second.meta.duplicate]).toEqual([false, true]);
  expect(second.result.structured).toEqual(charges('1')[0]);
  expect(charges('1')).toHaveLength(1);
  expect(steps.map(({ progress, total }) => [progress, total])).toEqual([0, 1, 2, 3].map((step) => [step, 4]));
});

it('takes the money twice when it is asked without a key: nothing but MCP-Tx prevents that', async () => {
  await payments.callTool('charge', { orderId: '2', amount: 1 });
  await payments.callTool('charge', { orderId: '2', amount: 1 });
  expect(charges('2')).toHaveLength(2);
});

it.each([
  ['order-13', 1],
  ['order-14', 0],
])('is in doubt about %s, whose charge the server did not survive, and never asks again', async (orderId, effects) => {
  for (let time = 1; time <= 2; time += 1) {
    const outcome = await charge(orderId);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IN_DOUBT', execution: 'unknown' } });
  }
  expect(charges(orderId)).toHaveLength(effects);
  const { result } = await payments.callTool('list_charges', { orderId });
  expect(result.structured).toEqual({ charges: charges(orderId) });
});

it.each([
  ['order-13', 1, 'completed'],
  ['order-14', 0, 'unknown or absent'],
])('finds out by the probe what became of %s', async (orderId, effects, verdict) => {
  await charge(orderId);
  const operation = { operationId: 'op', tool: 'charge', scope: 'default', arguments: { orderId }, attempts: 1 };
  const context = {
    callTool: async (tool: string, args?: object) => (await payments.callTool(tool, { ...args })).result,
  };
  const found = await probeCharge(operation, { ...context, signal: new AbortController().signal });
  expect(verdict).toContain(found.verdict);
  expect(charges(orderId)).toHaveLength(effects);
});

it('says no to an amount beyond the limit, which is a result', async () => {
  const outcome = await charge('3', 100_001);
  expect(outcome).toMatchObject({ ok: true, result: { isError: true }, meta: { processed: true } });
  expect(charges('3')).toEqual([]);
});

it('has a catalogue to read', async () => {
  await using catalogue = createMcpTx(catalogueOptions(ledger));
  const list = await catalogue.callTool('list_directory', { path: '.' });
  expect(JSON.stringify(list.result)).toContain('assam-tea.md');
  const file = await catalogue.callTool('read_text_file', { path: 'assam-tea.md' });
  expect(JSON.stringify(file.result)).toContain('Strong and malty');
  const known = async (tx: McpTx) => (await tx.listTools()).map(({ name }) => name);
  expect(await known(catalogue)).toEqual(expect.arrayContaining([...SHOP_TOOLS.catalogue]));
  expect((await known(payments)).sort()).toEqual([...SHOP_TOOLS.payments].sort());
});

it.each([
  { SHOP_FAULTS: 'order-13' },
  { SHOP_FAULTS: 'order-13=crash' },
  { SHOP_CHARGE_MS: 'soon' },
  { SHOP_CHARGE_MS: '-1' },
])('refuses settings that mean nothing: %j', (env) => {
  expect(() => shopSettings('/nowhere', env)).toThrow(/SHOP_CHARGE_MS|a fault is written/);
});
