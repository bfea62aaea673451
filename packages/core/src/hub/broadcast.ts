/** Calls the same tool on many servers at once, and decides when enough of them have answered. */
import type { CallOutcome } from '../outcome/call-result.ts';
import { isMcpTxError, McpTxError } from '../outcome/tx-error.ts';
import type { CallOptions } from '../policy/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import { checkCall } from '../session/check-options.ts';
import type { Member } from './member.ts';

/** How many servers have to answer with success (a result without `isError`). `all`: every server is heard to its end. */
export type BroadcastPolicy = 'all' | 'any' | { readonly quorum: number };

/** Options of {@link Hub.broadcast}. */
export interface BroadcastOptions extends Omit<CallOptions, 'onAbort' | 'onProgress' | 'repeatOf'> {
  /** Default `all`. */
  readonly policy?: BroadcastPolicy;
  /** Only these servers. Default: all of the hub. */
  readonly servers?: readonly string[];
  /** Calls under way at once. Default: all. With fewer, a server that hangs keeps a place until its call's deadline. */
  readonly concurrency?: number;
  /** Deadline of the whole broadcast, ms. Default: each call has its own server's. */
  readonly timeoutMs?: number;
  /** `any` and a quorum leave calls behind that may still run. For tools not known to be safe that must be wanted. */
  readonly confirm?: boolean;
}

/** What became of one server's call. */
export type Settled = CallOutcome & { readonly server: string };

type Arguments = Readonly<Record<string, unknown>> | undefined;

/** How long a server may take to say whether its tool is safe, ms, where the broadcast has no deadline. */
const ASK_MS = 5_000;

/** Calls, and answers with every server's outcome, in the order of `members`. @throws McpTxError `CALL_INVALID` */
export async function broadcast(
  members: readonly Member[],
  tool: string,
  args: Arguments,
  options: BroadcastOptions,
  clock: Clock,
): Promise<ReadonlyMap<string, Settled>> {
  const { policy = 'all', servers: _, concurrency = members.length, timeoutMs, confirm, signal, ...call } = options;
  checkCall(tool, {
    ...call,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (concurrency !== members.length && !(Number.isInteger(concurrency) && concurrency >= 1))
    throw invalid('concurrency must be a whole number of at least 1');
  const endsAt = timeoutMs === undefined ? undefined : clock.monotonic() + timeoutMs;
  const needed = successesNeeded(policy, members.length);
  const unsafe = needed === undefined ? [] : await notKnownSafe(members, tool, timeoutMs ?? ASK_MS);
  if (unsafe.length > 0 && confirm !== true) throw unconfirmed(tool, unsafe);
  const race = new Race(members.length, needed);
  const mayCancel = (member: Member): boolean => needed === undefined || !unsafe.includes(member);
  const callOne = (member: Member): Promise<CallOutcome> =>
    race.run((ended) => {
      const leftMs = endsAt === undefined ? undefined : endsAt - clock.monotonic();
      if (leftMs !== undefined && leftMs <= 0) return tooLate();
      const own = { ...call, signal: ended, ...(leftMs === undefined ? {} : { timeoutMs: leftMs }) };
      return outcomeOf(member, tool, args, mayCancel(member) ? own : { ...own, onAbort: 'detach' });
    });
  const stop = (): void => race.decide('aborted');
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    return await inLine(members, concurrency, callOne);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Calls that race for a decision: after it none begins, and those under way lose their caller. */
class Race {
  readonly #needed: number | undefined;
  #open: number;
  #successes = 0;
  #decidedBy: 'aborted' | 'decided' | undefined;
  /** One for each call: a signal that many listen to is one that somebody forgets to leave. */
  readonly #underWay = new Set<AbortController>();

  constructor(calls: number, needed: number | undefined) {
    this.#open = calls;
    this.#needed = needed;
  }

  async run(call: (ended: AbortSignal) => CallOutcome | Promise<CallOutcome>): Promise<CallOutcome> {
    if (this.#decidedBy !== undefined) return notBegun(this.#decidedBy);
    const controller = new AbortController();
    this.#underWay.add(controller);
    const outcome = await call(controller.signal);
    this.#underWay.delete(controller);
    this.#open -= 1;
    if (outcome.ok && outcome.result.isError !== true) this.#successes += 1;
    if (this.#isDecided()) this.decide('decided');
    return outcome;
  }

  /** What becomes of a call under way the engine knows: one that is not safe is never cancelled by this. */
  decide(by: 'aborted' | 'decided'): void {
    this.#decidedBy ??= by;
    for (const controller of this.#underWay) controller.abort();
  }

  /** The policy is met, or cannot be met any more. */
  #isDecided(): boolean {
    if (this.#needed === undefined) return false;
    return this.#successes >= this.#needed || this.#successes + this.#open < this.#needed;
  }
}

/** At most `concurrency` at once, in order. */
async function inLine(
  members: readonly Member[],
  concurrency: number,
  callOne: (member: Member) => Promise<CallOutcome>,
): Promise<ReadonlyMap<string, Settled>> {
  const outcomes = new Map<string, Settled | undefined>(members.map(({ name }) => [name, undefined]));
  const line = members.values();
  const next = async (): Promise<void> => {
    for (const member of line) outcomes.set(member.name, { server: member.name, ...(await callOne(member)) });
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, members.length) }, next));
  return outcomes as ReadonlyMap<string, Settled>;
}

function successesNeeded(policy: BroadcastPolicy, servers: number): number | undefined {
  if (policy === 'all') return undefined;
  if (policy === 'any') return 1;
  const quorum: unknown = typeof policy === 'object' && policy !== null ? policy.quorum : undefined;
  if (!Number.isInteger(quorum) || (quorum as number) < 1)
    throw invalid("policy must be 'all', 'any' or { quorum: a whole number of at least 1 }");
  if ((quorum as number) > servers) throw invalid(`policy: a quorum of ${quorum} cannot be met by ${servers} servers`);
  return quorum as number;
}

async function notKnownSafe(members: readonly Member[], tool: string, timeoutMs: number): Promise<readonly Member[]> {
  const safe = await Promise.all(members.map((member) => member.isKnownSafe(tool, timeoutMs)));
  return members.filter((_, at) => safe[at] !== true);
}

async function outcomeOf(member: Member, tool: string, args: Arguments, options: CallOptions): Promise<CallOutcome> {
  try {
    return await member.tx.tryCallTool(tool, args, options);
  } catch (error) {
    if (isMcpTxError(error)) return { ok: false, error };
    return { ok: false, error: new McpTxError('INTERNAL', `the call failed: ${String(error)}`, { cause: error }) };
  }
}

function notBegun(by: 'aborted' | 'decided'): CallOutcome {
  const why = by === 'aborted' ? 'the signal was aborted' : 'the broadcast was decided';
  return { ok: false, error: new McpTxError('ABORTED', `${why} before this call began`, { reason: by }) };
}

function tooLate(): CallOutcome {
  const message = 'the deadline of the broadcast passed before this call began';
  return { ok: false, error: new McpTxError('DEADLINE_EXCEEDED', message) };
}

function unconfirmed(tool: string, unsafe: readonly Member[]): McpTxError {
  const names = unsafe.map(({ name }) => name).join(', ');
  const why = 'calls that are left behind may still run; say confirm: true if that is wanted';
  return invalid(`policy: ${tool} is not known to be safe on ${names}: ${why}`);
}

function invalid(message: string): McpTxError {
  return new McpTxError('CALL_INVALID', message);
}
