/** Proves that every fault of the stdio server happens as it is described, with the official SDK's client as the witness. */
import { describe, expect, test } from 'vitest';
import type { Fault, FaultName } from '../src/faulty-server.ts';
import { faultyStdio } from '../src/faulty-server.ts';
import { openStdio } from './support/stdio-session.ts';

const TIMED_OUT = { type: 'McpError', code: -32001, message: 'MCP error -32001: Request timed out' };
const CLOSED = { type: 'McpError', code: -32000, message: 'MCP error -32000: Connection closed' };

interface Failing {
  readonly fault: Fault | FaultName;
  readonly error: Record<string, unknown>;
  readonly effects: number;
  /** When the client is to give up; only for what takes the SDK long. */
  readonly timeoutMs?: number;
}

const FAILING: readonly Failing[] = [
  { fault: 'drop-request', error: TIMED_OUT, effects: 0 },
  { fault: 'drop-response', error: TIMED_OUT, effects: 1 },
  { fault: 'exit-before', error: CLOSED, effects: 0 },
  { fault: { kind: 'exit-before', how: 'exit' }, error: CLOSED, effects: 0 },
  { fault: 'exit-after', error: CLOSED, effects: 1 },
  { fault: { kind: 'exit-after', how: 'exit' }, error: CLOSED, effects: 1 },
  { fault: 'garbage', error: TIMED_OUT, effects: 1 },
  { fault: { kind: 'garbage', when: 'before' }, error: TIMED_OUT, effects: 0 },
  { fault: 'wrong-id', error: TIMED_OUT, effects: 1 },
  { fault: 'half-line', error: CLOSED, effects: 1 },
  { fault: 'close-stdout', error: TIMED_OUT, effects: 1 },
  { fault: { kind: 'close-stdout', when: 'before' }, error: TIMED_OUT, effects: 0 },
  { fault: 'huge-result', error: CLOSED, effects: 1, timeoutMs: 8000 },
  {
    fault: { kind: 'json-rpc-error', code: -32603, message: 'oh' },
    error: { code: -32603, message: 'MCP error -32603: oh' },
    effects: 0,
  },
  {
    fault: { kind: 'json-rpc-error', code: -32000, when: 'after' },
    error: { type: 'McpError', code: -32000 },
    effects: 1,
  },
  { fault: 'invalid-content', error: { type: '$ZodError' }, effects: 1 },
];

describe('a fault that fails the call', () => {
  test.concurrent.for(FAILING)('$fault', async ({ fault, error, effects, timeoutMs = 1000 }) => {
    const server = faultyStdio({ script: [{ tool: 'pay', fault }] });
    await using session = await openStdio(server);
    expect(await session.fail('pay', { orderId: 'a', amount: 5 }, { timeoutMs })).toMatchObject(error);
    expect(server.effects()).toHaveLength(effects);
    const { injected, unusedSteps } = server.faults();
    expect(injected).toMatchObject([{ kind: typeof fault === 'string' ? fault : fault.kind, tool: 'pay', call: 1 }]);
    expect(unusedSteps).toEqual([]);
  });
});
