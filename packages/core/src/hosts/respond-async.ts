/** Answers 202 once a call stands in the ledger with its arguments, and lets it go on. */
import type { OperationRecord } from '../ledger/record.ts';
import type { McpTxResult } from '../outcome/call-result.ts';
import { argumentsText, fingerprintOf, identify } from '../policy/identity.ts';
import type { Clock } from '../runtime/clock.ts';
import { sleep } from '../runtime/clock.ts';
import type { McpTx } from '../session/mcp-tx.ts';
import type { AcceptedView } from './api-types.ts';
import type { McpTxScope } from './bind-scope.ts';
import type { KernelResponse } from './http-message.ts';
import { jsonResponse } from './json-response.ts';

const POLL = { firstMs: 2, maxMs: 50 } as const;

/** A call to be accepted. */
export interface AsyncCall {
  readonly client: McpTx;
  readonly scope: McpTxScope;
  readonly scopeName: string;
  readonly key: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The call, begun. */
  readonly result: Promise<McpTxResult>;
  /** How long to wait for the result before 202, ms. */
  readonly waitMs: number;
  readonly mount: string | undefined;
}

/** The answer 202; `undefined` when the call ended first, or is nothing that a ledger keeps. */
export async function accept(call: AsyncCall, clock: Clock): Promise<KernelResponse | undefined> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  call.result.then(end, end);
  if (call.waitMs > 0) await sleep(clock, call.waitMs, ended.signal);
  const { operationId } = identify(call.scopeName, call.client.name, call.key);
  for (let waitMs: number = POLL.firstMs; !ended.signal.aborted; waitMs = Math.min(2 * waitMs, POLL.maxMs)) {
    const record = await call.scope.getOperation(operationId).catch(() => undefined); // the call itself tells of trouble
    if (record !== undefined && isKept(record, call)) return accepted(call, record);
    await sleep(clock, waitMs, ended.signal);
  }
  return undefined;
}

/** The record is this very call's, and whoever takes it over can run it: it was sent already, or its arguments are there. */
function isKept(record: OperationRecord, { tool, args }: AsyncCall): boolean {
  if (record.tool !== tool) return false;
  const fingerprint = fingerprintOf(tool, argumentsText(args, { maxDepth: 1_000, maxLength: Number.MAX_SAFE_INTEGER }));
  const isSame = record.fingerprint === undefined || record.fingerprint === fingerprint;
  return isSame && (record.state !== 'claimed' || record.arguments !== undefined);
}

async function accepted({ client, mount = '' }: AsyncCall, record: OperationRecord): Promise<KernelResponse> {
  const { operationId, state } = record;
  const { ledger } = await client.health();
  const body: AcceptedView = { operationId, state, durability: ledger };
  return jsonResponse(202, body, {
    location: `${mount}/operations/${operationId}`,
    'preference-applied': 'respond-async',
    'retry-after': '1',
    'mcp-tx-operation-id': operationId,
  });
}
