/** A real instance over a scripted server: what a user's own tests use in place of a server, and of mocks that cannot fail. */
import type { McpTx, McpTxOptions, VirtualClock } from '@mcp-tx/core';
import { createMcpTx, virtualClock } from '@mcp-tx/core';
import type { FakeSend, FakeTool, FakeToolDefinition, Fate } from './fake-mcp-tx/fake-server.ts';
import { FakeServer } from './fake-mcp-tx/fake-server.ts';

/** What a fake instance is made of. */
export interface FakeMcpTxOptions {
  /** The server's tools, by name. */
  readonly tools: Readonly<Record<string, FakeTool | FakeToolDefinition>>;
  /** What becomes of the first, second, … send of each tool. Sends beyond that are answered. */
  readonly script?: Readonly<Record<string, readonly Fate[]>>;
  /** The server speaks MCP-Tx. It is then up to the tools to recognise an operation id. Default `false`. */
  readonly speaksMcpTx?: boolean;
  /** Options of the instance; short waits are the default. */
  readonly options?: Partial<Omit<McpTxOptions, 'server' | 'clock'>>;
}

/** A fake instance and everything to look at it with. */
export interface FakeMcpTx extends AsyncDisposable {
  /** Hand this to the code under test. It is the real thing: keys, records, retries, doubt. */
  readonly tx: McpTx;
  /** Every send that left. */
  readonly sends: readonly FakeSend[];
  /** Every run of a tool: what really happened. */
  readonly effects: readonly FakeSend[];
  /** Steps of the script that nothing has reached: a test that injected nothing proves nothing. */
  readonly unusedSteps: readonly { readonly tool: string; readonly fate: Fate }[];
  /** Time stands still until {@link FakeMcpTx.advance} or {@link FakeMcpTx.until} lets it pass. */
  readonly clock: VirtualClock;
  /** Lets `ms` pass. */
  advance(ms: number): Promise<void>;
  /** Lets time pass, millisecond by millisecond, until `promise` has settled. @throws Error after `limitMs`, default 60,000 */
  until<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
}

/**
 * Makes a fake instance on a virtual clock.
 *
 * @example
 * const fake = createFakeMcpTx({ tools: { charge: () => ({ ok: true }) }, script: { charge: ['lose-answer'] } });
 * await expect(fake.until(placeOrder(fake.tx))).rejects.toMatchObject({ code: 'IN_DOUBT' });
 * expect(fake.effects).toHaveLength(1);
 */
export function createFakeMcpTx({
  tools,
  script = {},
  speaksMcpTx = false,
  options = {},
}: FakeMcpTxOptions): FakeMcpTx {
  for (const tool of Object.keys(script)) {
    if (!Object.hasOwn(tools, tool))
      throw new TypeError(`the script names the tool ${tool}, which is not among the tools`);
  }
  const server = new FakeServer({ tools, script, speaksMcpTx });
  const clock = virtualClock();
  const tx = createMcpTx({
    name: 'fake',
    timeoutMs: 1_000,
    settleGraceMs: 500,
    sweepIntervalMs: 0,
    ...options,
    server: server.source,
    clock,
  });
  return {
    tx,
    clock,
    sends: server.sends,
    effects: server.effects,
    get unusedSteps() {
      return server.unusedSteps;
    },
    advance: (ms) => clock.advance(ms),
    until: (promise, limitMs = 60_000) => until(clock, promise, limitMs),
    async [Symbol.asyncDispose]() {
      await until(clock, tx.close({ graceMs: 0 }), 60_000);
    },
  };
}

async function until<T>(clock: VirtualClock, promise: Promise<T>, limitMs: number): Promise<T> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await clock.settle();
  for (let passed = 0; !isSettled && passed < limitMs; passed += 1) await clock.advance(1);
  if (!isSettled) throw new Error(`the promise did not settle within ${limitMs} ms of virtual time`);
  return promise;
}
