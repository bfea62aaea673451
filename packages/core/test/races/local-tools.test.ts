// DESIGN 3.5 and 3.6: a local tool names its inner calls by their order, ends in time, and says what is known of all of them together.
import type { Scheduler } from 'fast-check';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallOptions, McpTxResult, VirtualClock } from '../../src/index.ts';
import { isMcpTxError, McpTxError, virtualClock } from '../../src/index.ts';
import type { Composer, LocalTool, LocalToolContext } from '../../src/session/tool-registry.ts';
import { runLocalTool } from '../../src/session/tool-registry.ts';
import { Branches, inParallel, races, turn, untilQuiet } from '../support/race.ts';

const TIMEOUT_MS = 100;

const script = fc.record({
  inner: fc.array(fc.constantFrom('done', 'done', 'refused', 'doubt', 'silent'), { maxLength: 4 }),
  /** The handler does not wait for the last one. */
  forgets: fc.boolean(),
  inOrder: fc.boolean(),
  ticks: fc.array(fc.constantFrom(20, 60, TIMEOUT_MS), { maxLength: 3 }),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

type Branch =
  | 'result'
  | 'inner error'
  | 'late'
  | 'nothing called'
  | 'forgotten'
  | 'answers out of order'
  | 'done in part';

/** What really became of the inner calls, noted by the side that makes them. */
class Inner {
  readonly keys: (string | undefined)[] = [];
  readonly timeouts: number[] = [];
  readonly ended: number[] = [];
  readonly known: Map<number, 'none' | 'unknown' | 'done'> = new Map();

  /** The worst that is known: what runs may have run. */
  get execution(): 'none' | 'unknown' | 'done' {
    const all = this.keys.map((_key, n) => this.known.get(n) ?? 'unknown');
    return all.includes('unknown') ? 'unknown' : all.includes('done') ? 'done' : 'none';
  }
}

function metaOf(execution: 'none' | 'unknown' | 'done'): McpTxResult['meta'] {
  const names = {
    requestId: 'req_x',
    operationId: 'op_x',
    guarantee: 'at-most-once',
    dedupeScope: 'process',
    durability: 'process',
  } as const;
  const facts = {
    ack: true,
    processed: true,
    duplicate: false,
    attempts: 1,
    recorded: true,
    fingerprinted: true,
    durationMs: 0,
  };
  return { ...names, ...facts, execution };
}

/** Makes the inner calls: each ends in its turn, or never. */
function composerOf(drawn: Script, scheduler: Scheduler, clock: VirtualClock, inner: Inner): Composer {
  const call = async (options: CallOptions): Promise<McpTxResult> => {
    const n = inner.keys.push(options.idempotencyKey) - 1;
    inner.timeouts.push(clock.monotonic() + (options.timeoutMs ?? 0));
    const fate = drawn.inner[n] ?? 'done';
    if (fate === 'silent') return new Promise(() => undefined);
    await turn(scheduler, `inner call ${n} ends: ${fate}`);
    inner.ended.push(n);
    const execution = fate === 'done' ? 'done' : fate === 'doubt' ? 'unknown' : 'none';
    inner.known.set(n, execution);
    const meta = metaOf(execution);
    if (fate === 'done') return { result: { content: [] } as unknown as McpTxResult['result'], meta };
    throw new McpTxError(fate === 'doubt' ? 'IN_DOUBT' : 'REJECTED', fate, { execution, meta });
  };
  return {
    clock,
    defaultTimeoutMs: TIMEOUT_MS,
    requestId: () => 'req_outer',
    callTool: (_tool, _args, options) => call(options),
  };
}

function toolOf(drawn: Script): LocalTool {
  const handler = async (_input: never, { callTool }: LocalToolContext): Promise<unknown> => {
    const last = drawn.inner.length - 1;
    const waited: Promise<unknown>[] = [];
    for (const n of drawn.inner.keys()) {
      const calling = callTool('pay', { n });
      calling.catch(() => undefined);
      if (drawn.forgets && n === last) break;
      waited.push(calling);
      if (drawn.inOrder) await calling;
    }
    await Promise.all(waited);
    return { fine: true };
  };
  const accepts = { '~standard': { version: 1 as const, validate: (value: unknown) => ({ value }) } };
  return { name: 'both', inputSchema: accepts, handler };
}

/** How the local tool ended. */
interface Ending {
  readonly ok: boolean;
  readonly code?: string;
  readonly execution: string;
  readonly at: number;
  /** Timers that are left then. */
  readonly timers: number;
  /** What was true at that moment. */
  readonly truth: string;
}

function run(drawn: Script, scheduler: Scheduler, clock: VirtualClock, inner: Inner): Promise<Ending> {
  const running = runLocalTool(toolOf(drawn), {}, { idempotencyKey: 'k' }, composerOf(drawn, scheduler, clock, inner));
  const seen = () => ({ at: clock.monotonic(), timers: clock.pending, truth: inner.execution });
  return running.then(
    ({ meta }) => ({ ok: true, execution: meta.execution, ...seen() }),
    (error: unknown) => {
      if (!isMcpTxError(error)) throw error;
      return { ok: false, code: error.code, execution: error.execution, ...seen() };
    },
  );
}

describe('a local tool', () => {
  it('ends once and in time, and claims no more than its inner calls', async () => {
    const branches = new Branches<Branch>(
      ...(['result', 'inner error', 'late', 'nothing called'] as const),
      ...(['forgotten', 'answers out of order', 'done in part'] as const),
    );
    await fc.assert(
      fc.asyncProperty(script, fc.scheduler(), async (drawn, scheduler) => {
        const clock = virtualClock();
        const inner = new Inner();
        const ending = run(drawn, scheduler, clock, inner);
        inParallel(scheduler, [drawn.ticks.map((ms) => [`${ms} ms pass`, () => clock.advance(ms)] as const)]);
        await untilQuiet(scheduler, clock, { calm: true });
        const { ok, code, execution, at, timers, truth } = await ending;
        expect(timers).toBe(0);
        expect(at).toBeLessThanOrEqual(TIMEOUT_MS);
        expect(execution).toBe(truth);
        expect(inner.keys).toEqual(inner.keys.map((_key, n) => `k/pay/${n + 1}`));
        expect(inner.timeouts.every((until) => until <= TIMEOUT_MS)).toBe(true);
        branches.saw('result', ok);
        branches.saw('inner error', code === 'REJECTED' || code === 'IN_DOUBT');
        branches.saw('late', code === 'DEADLINE_EXCEEDED');
        branches.saw('nothing called', inner.keys.length === 0);
        branches.saw('forgotten', drawn.forgets && ok && inner.keys.length > 0);
        branches.saw(
          'answers out of order',
          inner.ended.some((n, i) => n !== i),
        );
        branches.saw('done in part', code === 'REJECTED' && execution === 'done');
      }),
      races(1_500),
    );
    branches.expectAll();
  });
});
