import { createMcpTx } from '@mcp-tx/core';
import { stdio as stdioV1 } from '@mcp-tx/core/sdk-v1';
import { stdio as stdioV2 } from '@mcp-tx/core/sdk-v2';
import { describe, expect, it } from 'vitest';
import type { CallFault, FaultName } from '../src/faulty-server.ts';
import { faultyStdio } from '../src/faulty-server.ts';
import type { Expected } from './support/outcome-rows.ts';
import {
  answered,
  callOnce,
  expectRow,
  lost,
  rejected,
  silent,
  timeoutFor,
  unclear,
  unusable,
} from './support/outcome-rows.ts';

type Fault = FaultName | CallFault | { readonly kind: string; readonly [key: string]: unknown };

const rows: readonly (readonly [Fault, Expected])[] = [
  ['drop-request', silent(0)],
  ['drop-response', silent(1)],
  ['garbage', silent(1)],
  ['wrong-id', silent(1)],
  ['exit-before', lost(0)],
  ['exit-after', lost(1)],
  ['half-line', lost(1)],
  ['double-answer', answered],
  ['is-error', answered],
  ['no-content', unusable],
  ['invalid-content', unusable],
  ['task-result', { class: 'pending', ends: 'IN_DOUBT', reason: 'remote-task', effects: 1 }],
  [
    { kind: 'result-type', value: 'input_required' },
    { class: 'pending', ends: 'IN_DOUBT', reason: 'input-required', effects: 1 },
  ],
  [{ kind: 'result-type', value: 'evil' }, unusable],
  [{ kind: 'json-rpc-error', code: -32_603, message: 'internal', when: 'after' }, unclear(1)],
  [{ kind: 'json-rpc-error', code: -32_000, message: 'Connection closed', when: 'after' }, unclear(1)],
  [{ kind: 'json-rpc-error', code: -32_001, message: 'Request timed out', when: 'after' }, unclear(1)],
  [{ kind: 'json-rpc-error', code: -32_602, message: 'Invalid tools/call result: no', when: 'after' }, unclear(1)],
  [{ kind: 'json-rpc-error', code: -32_601, message: 'Method not found', when: 'before' }, rejected],
  [{ kind: 'json-rpc-error', code: -32_700, message: 'Parse error', when: 'before' }, rejected],
  [{ kind: 'json-rpc-error', code: -32_020, message: 'HeaderMismatch', when: 'before' }, rejected],
];

describe.each([
  ['SDK v1', stdioV1],
  ['SDK v2', stdioV2],
] as const)('over stdio with %s', { timeout: 40_000 }, (_line, stdio) => {
  it.concurrent.each(rows)('%j', async (fault, expected) => {
    const server = faultyStdio({ script: [{ tool: 'pay', at: 1, fault: fault as FaultName }] });
    await using tx = createMcpTx({
      server: stdio({ ...server, stderr: 'ignore' }),
      timeoutMs: timeoutFor(expected),
      settleGraceMs: 50,
    });
    await tx.initialize();
    const seen = await callOnce(tx);
    expectRow(expected, seen, server.effects().length);
    const next = await tx.callTool(
      'pay',
      { orderId: 'next', amount: 1 },
      { idempotencyKey: 'next', timeoutMs: 10_000 },
    );
    expect(next.meta.execution).toBe('done'); // one bad answer does not spoil the connection for the next call
    const { injected, unusedSteps } = server.faults();
    expect(injected).toHaveLength(1);
    expect(unusedSteps).toEqual([]);
    await tx.close({ graceMs: 0 });
  });

  it.concurrent('an answer of 11 MB: in doubt at once, and the next call has a new server', async () => {
    const server = faultyStdio({ script: [{ tool: 'pay', at: 1, fault: 'huge-result' }] });
    await using tx = createMcpTx({
      server: stdio({ ...server, stderr: 'ignore' }),
      timeoutMs: 20_000,
      settleGraceMs: 50,
    });
    await tx.initialize();
    expectRow(lost(1), await callOnce(tx), server.effects().length);
    expect((await tx.callTool('pay', { orderId: 'next', amount: 1 })).meta.execution).toBe('done');
    expect((await tx.health()).generation).toBe(2);
    await tx.close({ graceMs: 0 });
  });

  it.concurrent('a server whose words are believed: -32602 is a rejection, but not after the fact', async () => {
    const step = (message: string) => ({ kind: 'json-rpc-error', code: -32_602, message, when: 'after' }) as never;
    const script = [
      { tool: 'pay', fault: step('Invalid arguments') },
      { tool: 'pay', fault: step('Invalid tools/call result: no') },
    ];
    const server = faultyStdio({ script });
    await using tx = createMcpTx({ server: stdio({ ...server, stderr: 'ignore' }), trusted: true, timeoutMs: 10_000 });
    const [first, second] = [
      await tx.tryCallTool('pay', { orderId: 'a', amount: 1 }),
      await tx.tryCallTool('pay', { orderId: 'b', amount: 1 }),
    ];
    expect(first).toMatchObject({ ok: false, error: { code: 'REJECTED', serverError: { code: -32_602 } } });
    expect(second).toMatchObject({ ok: false, error: { code: 'IN_DOUBT' } });
    await tx.close({ graceMs: 0 });
  });
});
