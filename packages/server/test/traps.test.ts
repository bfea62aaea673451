// The traps of keeping results: cancellation, tasks, requests for input, tools that throw.
import type { Ledger } from '@mcp-tx/core/ledger';
import { memoryLedger } from '@mcp-tx/core/ledger';
import { describe, expect, it, vi } from 'vitest';
import { withMcpTx } from '../src/index.ts';
import type { Bodies, MakeServer } from './support/lines.ts';
import { blockOf, bytesOf, connect, KINDS, meta, v1McpServer, v1Server } from './support/lines.ts';
import { createTools, text } from './support/tools.ts';

const ORDER = { orderId: '42' };

function wrap(make: MakeServer, bodies: Bodies, options: { onCancel?: 'cancel'; ledger?: Ledger } = {}): object {
  return withMcpTx(make(bodies), { ledger: memoryLedger(), scope: 'test', ...options });
}

/** The signal that a tool sees, in either SDK line. */
function signalOf(context: unknown): AbortSignal {
  const { signal, mcpReq } = context as { signal?: AbortSignal; mcpReq?: { signal: AbortSignal } };
  return (mcpReq?.signal ?? signal) as AbortSignal;
}

describe.each(KINDS)('%s', (_kind, make) => {
  it('[G:S3] a call that its client cancelled runs to its end, and the repeat gets its result', async () => {
    const tools = createTools({
      async obedient(args, context) {
        tools.begun.resolve();
        await tools.gate.promise;
        if (signalOf(context).aborted) throw new Error('aborted by client');
        return tools.bodies.pay?.(args, context);
      },
    });
    await using caller = await connect(wrap(make, tools.bodies));
    const gone = caller.call('obedient', ORDER, meta('op_a'), { timeout: 30 });
    await tools.begun.promise;
    await expect(gone).rejects.toThrow(/timed out/);
    const again = caller.call('obedient', ORDER, meta('op_a'));
    tools.gate.resolve();
    expect((await again).isError).toBeFalsy();
    expect(tools.effects()).toBe(1);
  });

  it('[G:S3] with onCancel cancel, what a tool says after the cancellation is in doubt and not its answer', async () => {
    const tools = createTools({
      async obedient(_args, context) {
        const signal = signalOf(context);
        tools.begun.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        return { ...text('aborted by client'), isError: true };
      },
    });
    await using caller = await connect(wrap(make, tools.bodies, { onCancel: 'cancel' }));
    await expect(caller.call('obedient', ORDER, meta('op_a'), { timeout: 30 })).rejects.toThrow(/timed out/);
    const told = await caller.fail('obedient', ORDER, meta('op_a'));
    expect(blockOf(told)).toMatchObject({ ack: false, processed: true, reason: 'in-doubt' });
  });
});

// A low-level Server has one handler for all names, so nobody else can know which there are.
describe.each(KINDS.filter(([, make]) => make !== v1Server))('who calls an unknown tool of a %s', (_kind, make) => {
  it('it is told that nothing ran, and told again after the tool was added', async () => {
    const tools = createTools();
    const server = wrap(make, { other: () => text('x') });
    await using caller = await connect(server);
    for (let sends = 0; sends < 2; sends += 1) {
      const told = await caller.fail('pay', ORDER, meta('op_a'));
      expect(told.code).toBe(-32_602);
      expect(blockOf(told)).toMatchObject({ ack: false, processed: false, reason: 'unknown-tool' });
      if (sends === 0) addTool(server, make, tools.bodies);
    }
    expect(tools.effects()).toBe(0);
  });
});

describe('a handler that throws', () => {
  it('after its effect: the first hears its error as doubt, repeats hear of the doubt, nothing runs again', async () => {
    const tools = createTools({
      explode(args, context) {
        tools.bodies.pay?.(args, context);
        throw Object.assign(new Error('the bank hung up'), { code: 77, data: { bank: 'x' } });
      },
    });
    const ledger = memoryLedger();
    await using caller = await connect(wrap(v1Server, tools.bodies, { ledger }));
    const first = await caller.fail('explode', ORDER, meta('op_a'));
    expect(first).toMatchObject({ code: 77, data: { bank: 'x' } });
    expect(first.message).toContain('the bank hung up');
    expect(blockOf(first)).toMatchObject({ ack: false, processed: true, reason: 'in-doubt' });
    const late = await caller.fail('explode', ORDER, meta('op_a', { attempt: 2 }));
    expect(late.code).toBe(-32_603);
    expect(blockOf(late)).toMatchObject({ ack: false, processed: true, reason: 'in-doubt', attempt: 2 });
    expect(tools.effects()).toBe(1);
    expect((await ledger.stats({})).byState.in_doubt).toBe(1);
  });

  it.each([-32_099, -32_021, -32_020])('with the reserved code %i is answered with one that is not', async (code) => {
    const tools = createTools({ explode: () => Promise.reject(Object.assign(new Error('no'), { code })) });
    await using caller = await connect(wrap(v1Server, tools.bodies));
    expect((await caller.fail('explode', ORDER, meta('op_a'))).code).toBe(-32_603);
  });

  it('whose result is not JSON is in doubt', async () => {
    const tools = createTools({ strange: () => ({ content: [], structuredContent: { n: 1n } }) });
    await using caller = await connect(wrap(v1Server, tools.bodies));
    expect(blockOf(await caller.fail('strange', ORDER, meta('op_a')))).toMatchObject({ reason: 'in-doubt' });
  });
});

describe('an answer that is no end', () => {
  it('a task goes through as it is, and a repeat is told which task goes on', async () => {
    const runs = vi.fn();
    const task = { taskId: 'task_1', status: 'working', ttl: null, createdAt: 'x', lastUpdatedAt: 'x' };
    const tools = createTools({
      later() {
        runs();
        return { content: [], task };
      },
    });
    const ledger = memoryLedger();
    await using caller = await connect(wrap(v1Server, tools.bodies, { ledger }));
    const first = await caller.call('later', ORDER, meta('op_a'));
    expect(first.task).toEqual(task);
    expect(blockOf(first)).toBeUndefined();
    const told = await caller.fail('later', ORDER, meta('op_a'));
    expect(blockOf(told)).toMatchObject({ reason: 'in-doubt', processed: true, taskId: 'task_1' });
    expect(runs).toHaveBeenCalledTimes(1);
    expect((await ledger.stats({})).byState).toMatchObject({ in_doubt: 1, completed: 0 });
  });

  it('a request for input gives the operation back, and the next leg runs and is kept', async () => {
    const tools = createTools({
      ask(args, context) {
        legs += 1;
        if (legs === 1) return { content: [], resultType: 'input_required', inputRequests: {} };
        return tools.bodies.pay?.(args, context);
      },
    });
    let legs = 0;
    await using caller = await connect(wrap(v1Server, tools.bodies));
    const first = await caller.call('ask', ORDER, meta('op_a'));
    expect(first.resultType).toBe('input_required');
    expect(blockOf(first)).toBeUndefined();
    const second = await caller.call('ask', ORDER, meta('op_a'));
    const third = await caller.call('ask', ORDER, meta('op_a'));
    expect({ legs, effects: tools.effects() }).toEqual({ legs: 2, effects: 1 });
    expect(bytesOf(third)).toBe(bytesOf(second));
  });

  it('MCP’s own demand to open a page is passed on, and the next call runs', async () => {
    const tools = createTools({
      visit(args, context) {
        legs += 1;
        if (legs === 1) throw Object.assign(new Error('open the page'), { code: -32_042, data: { elicitations: [] } });
        return tools.bodies.pay?.(args, context);
      },
    });
    let legs = 0;
    await using caller = await connect(wrap(v1Server, tools.bodies));
    const first = await caller.fail('visit', ORDER, meta('op_a'));
    expect(first).toMatchObject({ code: -32_042, data: { elicitations: [] } });
    expect(blockOf(first)).toBeUndefined();
    expect(blockOf(await caller.call('visit', ORDER, meta('op_a')))).toMatchObject({ ack: true, duplicate: false });
    expect(tools.effects()).toBe(1);
  });

  it('a resultType that nobody knows is passed on and never replayed as a result', async () => {
    const tools = createTools({ odd: () => ({ content: [], resultType: 'half-way' }) });
    await using caller = await connect(wrap(v1Server, tools.bodies));
    expect((await caller.call('odd', ORDER, meta('op_a'))).resultType).toBe('half-way');
    expect(blockOf(await caller.fail('odd', ORDER, meta('op_a')))).toMatchObject({ reason: 'in-doubt' });
  });
});

it('[G:S3] an error that comes of the client having gone is in doubt, not the tool’s answer', async () => {
  const tools = createTools({
    async confirm(args, context) {
      tools.begun.resolve();
      await tools.gate.promise;
      const { sendRequest } = context as { sendRequest: (request: object, schema: unknown) => Promise<unknown> };
      await sendRequest({ method: 'elicitation/create', params: { message: 'sure?' } }, {});
      return tools.bodies.pay?.(args, context);
    },
  });
  await using caller = await connect(wrap(v1McpServer, tools.bodies));
  await expect(caller.call('confirm', ORDER, meta('op_a'), { timeout: 30 })).rejects.toThrow(/timed out/);
  tools.gate.resolve();
  const told = await caller.fail('confirm', ORDER, meta('op_a'));
  expect(blockOf(told)).toMatchObject({ ack: false, reason: 'in-doubt' });
  expect(tools.effects()).toBe(0);
});

/** Gives a connected McpServer the tools of another one. */
function addTool(server: object, make: MakeServer, bodies: Bodies): void {
  const { _registeredTools } = make(bodies) as { readonly _registeredTools: object };
  Object.assign((server as { readonly _registeredTools: object })._registeredTools, _registeredTools);
}
