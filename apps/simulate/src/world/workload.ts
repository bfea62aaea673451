// What callers want: intents, calls, repeats, aborts, and the people who look after what is in doubt.
import type { CallOptions, McpTxError } from '@mcp-tx/core';
import { isMcpTxError } from '@mcp-tx/core';
import type { CallSeen, Intent, ToolName } from './history.ts';
import type { Instance, World } from './world.ts';

const TOOLS: readonly ToolName[] = ['pay', 'pay', 'pay', 'charge', 'put', 'read'];

/** The callers of a history. */
export class Workload {
  readonly #world: World;
  readonly intents: readonly Intent[];
  #calls = 0;
  /** Calls that are not answered yet, by number, with the process that has to answer. */
  readonly #waiting = new Map<number, Instance>();

  constructor(world: World) {
    this.#world = world;
    const { dice, plan } = world;
    this.intents = Array.from({ length: plan.intents }, (_, i) => ({
      name: `i${i + 1}`,
      tool: dice.pick(TOOLS),
      scope: dice.pick(['a', 'b']),
      key: dice.chance(0.75) ? `k${i >> 1}` : undefined, // two tenants may use one key
    })).map((intent, i, all) => withOwnKey(intent, all.slice(0, i)));
  }

  /** Puts all calls of the history on the timeline. */
  schedule(): void {
    const { dice, plan, loop } = this.#world;
    for (let i = 0; i < plan.calls; i += 1) {
      const intent = dice.pick(this.intents);
      const variant = intent.key !== undefined && dice.chance(0.06) ? 1 : 0;
      loop.post(dice.int(0, plan.busyMs), () => this.call(intent, variant, 2));
    }
  }

  /** One call, by whatever process takes it. A caller who is told that a repeat is safe and may help repeats. */
  call(intent: Intent, variant: number, repeats: number, by?: Instance): void {
    const { dice, plan, alive } = this.#world;
    const instance = by ?? dice.pick(alive);
    if (instance === undefined) return;
    const call = this.#calls;
    this.#calls += 1;
    const timeoutMs = dice.pick(plan.timeoutMs);
    const onAbort = dice.chance(0.1) ? 'cancel' : undefined;
    const ifBusy = dice.chance(0.1) ? 'fail' : 'wait';
    const op = intent.key === undefined ? `call${call}` : intent.name;
    const process = instance.process.name;
    const seen: Omit<CallSeen, 'at'> = { what: 'call', call, process, intent, variant, op, timeoutMs, onAbort, ifBusy };
    // The call begins in its process: a paused one begins later, and one that is gone never does.
    instance.process.post(0, () => {
      this.#world.see(seen);
      this.#waiting.set(call, instance);
      void this.#make(instance, seen, repeats);
    });
  }

  /** Calls that should have an answer and have none: their process lives. */
  get unanswered(): readonly number[] {
    return [...this.#waiting].filter(([, { process }]) => !process.isGone).map(([call]) => call);
  }

  async #make(instance: Instance, seen: Omit<CallSeen, 'at'>, repeats: number): Promise<void> {
    const { intent, variant, call, op } = seen;
    const { signal, release } = this.#mayAbort(instance, seen);
    const { plan } = this.#world;
    const options: CallOptions = {
      scope: intent.scope,
      timeoutMs: seen.timeoutMs,
      ifBusy: seen.ifBusy,
      meta: { op },
      ...(intent.key === undefined ? {} : { idempotencyKey: intent.key, storeArguments: plan.storeArguments }),
      ...(seen.onAbort === undefined ? {} : { onAbort: seen.onAbort }),
      ...(signal === undefined ? {} : { signal }),
    };
    try {
      const { result, meta } = await instance.tx.callTool(intent.tool, { intent: intent.name, variant }, options);
      const { execution, recorded, duplicate, requestId, operationId } = meta;
      const told = { execution, recorded, duplicate, requestId, operationId };
      this.#world.see({ what: 'answer', call, ok: true, result: JSON.stringify(result), retryable: false, ...told });
    } catch (error) {
      this.#refused(call, error);
      const mayRepeat = isMcpTxError(error) && (error.retryable || isDoubtOfAnAgent(error, intent));
      if (mayRepeat && repeats > 0) this.#repeatLater(intent, variant, repeats - 1, instance);
    } finally {
      release();
      this.#waiting.delete(call);
    }
  }

  #refused(call: number, error: unknown): void {
    if (!isMcpTxError(error)) {
      this.#world.recorder.broken.push(`call ${call} threw ${String(error)}`);
      return;
    }
    const { code, execution, retryable, meta } = error;
    if (code === 'INTERNAL') this.#world.recorder.broken.push(`call ${call}: ${error.message} ${String(error.cause)}`);
    this.#world.see({
      what: 'answer',
      call,
      ok: false,
      code,
      execution,
      retryable,
      recorded: meta?.recorded === true,
      duplicate: meta?.duplicate === true,
      ...(meta === undefined ? {} : { requestId: meta.requestId, operationId: meta.operationId }),
    });
  }

  #repeatLater(intent: Intent, variant: number, repeats: number, instance: Instance): void {
    const { dice, loop } = this.#world;
    const by = intent.key === undefined ? instance : undefined; // an agent goes on where it is
    loop.post(dice.int(1, 400), () => {
      const isUsable = by === undefined || (!by.process.isGone && !by.isClosing);
      if (isUsable) this.call(intent, variant, repeats, by);
    });
  }

  #mayAbort(instance: Instance, { call, timeoutMs }: Omit<CallSeen, 'at'>): { signal?: AbortSignal; release(): void } {
    const { dice } = this.#world;
    if (!this.#world.strikes('caller.abort', `call ${call}`)) return { release: () => undefined };
    const controller = new AbortController();
    const timer = instance.process.timer(dice.int(0, timeoutMs), () => {
      this.#world.see({ what: 'abort', call });
      controller.abort();
    });
    return { signal: controller.signal, release: () => timer.cancel() };
  }
}

/** Tenants share keys; within a tenant each keyed intent has its own. */
function withOwnKey(intent: Intent, earlier: readonly Intent[]): Intent {
  const isTaken = earlier.some(({ key, scope }) => key !== undefined && key === intent.key && scope === intent.scope);
  return isTaken ? { ...intent, key: `${intent.key}-${intent.name}` } : intent;
}

/** A model that is told of doubt about a call without a key likes to try again: just what quarantine is for. */
function isDoubtOfAnAgent(error: McpTxError, intent: Intent): boolean {
  return error.code === 'IN_DOUBT' && intent.key === undefined;
}
