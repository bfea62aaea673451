// The floor of a keyed call: what no ledger in memory can leave out, written straight down, around the raw call.
import { hash } from 'node:crypto';
import type { Work } from './interleave.ts';
import { echoClient } from './subjects.ts';

const ARGUMENTS = { text: 'hello' };
/** As long as the records of the other subjects. */
const RETENTION_MS = 1_000;

/** What a ledger has to give back of an operation, as `OperationRecord` has it. */
interface FloorRecord {
  state: string;
  outcome: string | undefined;
  endedAt: number;
  readonly [field: string]: unknown;
}

/** A call of a tool and what is kept of it. */
export type FloorCall = (key: string, args: object, call: () => Promise<object>) => Promise<FloorAnswer>;

/** What the caller gets. */
export interface FloorAnswer {
  readonly result: unknown;
  readonly meta: { readonly ack: true; readonly attempts: 1; readonly requestId: string; readonly operationId: string };
  readonly durationMs: number;
}

/**
 * Two digests (identity and fingerprint), a record that others can find for one second or two, the result as text, and a parse
 * of that text for the caller. No deadline, no lease, no retry, no gate, no event, no check of anything; and records go by the
 * thousand, with the map they are in, at no cost of their own.
 */
export function openFloor(): FloorCall {
  let young = new Map<string, FloorRecord>();
  let old = new Map<string, FloorRecord>();
  let swapAt = performance.now() + RETENTION_MS;
  return async (key, args, call) => {
    const now = performance.now();
    const record = claim(key, args, now);
    if (young.has(record.id) || old.has(record.id)) throw new Error('the keys of this run are all different');
    young.set(record.id, record);
    const result = await call();
    record.outcome = JSON.stringify(result);
    record.state = 'completed';
    record.endedAt = performance.now();
    if (now > swapAt) {
      old = young;
      young = new Map();
      swapAt = now + RETENTION_MS;
    }
    const meta = { ack: true, attempts: 1, requestId: record.requestId, operationId: record.id } as const;
    return { result: JSON.parse(record.outcome) as unknown, meta, durationMs: record.endedAt - now };
  };
}

/** The same around a tool that costs nothing. */
export async function keyedFloor(): Promise<Work> {
  const [client, floor] = [await echoClient(), openFloor()];
  let n = 0;
  return () => {
    n += 1;
    return floor(`order:${n}`, ARGUMENTS, () => client.callTool({ name: 'echo', arguments: ARGUMENTS }));
  };
}

function claim(
  key: string,
  args: object,
  now: number,
): FloorRecord & { readonly id: string; readonly requestId: string } {
  const text = JSON.stringify(args);
  const digest = hash('sha256', `1;7:default5:bench${key.length}:${key}`, 'hex');
  return {
    id: digest.slice(0, 32),
    digest,
    fingerprint: hash('sha256', `{"arguments":${text},"tool":"echo","v":1}`, 'base64url'),
    scope: 'default',
    serverName: 'bench',
    tool: 'echo',
    idempotencyKey: key,
    requestId: `req_${now}`,
    state: 'sent',
    mode: 'at-most-once',
    attempts: 1,
    attemptLimit: 3,
    fence: 1,
    leaseUntil: now + 15_000,
    deadlineAt: now + 30_000,
    settleWindowMs: 60_000,
    createdAt: now,
    sentAt: now,
    endedAt: -1,
    outcome: undefined,
  };
}
