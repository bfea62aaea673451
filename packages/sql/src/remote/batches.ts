/** What batches of claims and of ends have in common, whatever the server: who goes along, and what each is told. */
import type { Claim, ClaimRequest } from '@mcp-tx/core/ledger';
import { answerByReading, grant } from '../operations/claim.ts';
import type { Codec } from '../operations/codec.ts';
import type { OperationRow } from '../operations/rows.ts';
import { digestColumn, outcomeColumns } from '../operations/rows.ts';
import type { NewClaim, NewEnd } from './flavour.ts';
import { digestBytes } from './flavour.ts';

/** What became of a claim at the server. */
export interface Written {
  readonly key: Uint8Array;
  readonly id: number;
  /** Where it was there already: the row, and the server's time. */
  readonly found?: { readonly row: OperationRow; readonly now: number };
}

/** Claims what is new, answers what needs no write; `undefined` at the place of what does, comes twice, or must be compared with others. */
export async function claimMany(
  claims: readonly NewClaim[],
  write: (fresh: readonly NewClaim[]) => Promise<readonly Written[]>,
): Promise<readonly (Claim | undefined)[]> {
  const [only, ...others] = claims;
  if (only !== undefined && others.length === 0) {
    const [answer] = only.request.quarantine === undefined ? await write(claims) : [];
    return [answer === undefined ? undefined : claimOf(only.request, answer)];
  }
  const first = new Map<string, ClaimRequest>();
  for (const { request } of claims)
    if (request.quarantine === undefined && !first.has(request.operationId)) first.set(request.operationId, request);
  const fresh = claims.filter(({ request }) => first.get(request.operationId) === request);
  // In one order everywhere: two processes that insert the same keys never wait for each other in a circle.
  fresh.sort((one, other) => Buffer.compare(one.key, other.key));
  const answers = new Map<string, Written>();
  const written = fresh.length === 0 ? [] : await write(fresh);
  for (const answer of written) answers.set(hex(answer.key), answer);
  return claims.map(({ request, key }) => {
    const answer = first.get(request.operationId) === request ? answers.get(hex(key)) : undefined;
    return answer === undefined ? undefined : claimOf(request, answer);
  });
}

function claimOf(request: ClaimRequest, { id, found }: Written): Claim | undefined {
  if (found === undefined) return grant(request, id, 1, request.state === 'sent' ? 1 : 0, request.maxAttempts);
  const answer = answerByReading(found.row, request, found.now);
  return typeof answer === 'object' ? answer : undefined;
}

/** Ends what is held; `undefined` at the place of what has to be looked at. `write` tells the rows that it has ended. */
export async function endMany(
  ends: readonly NewEnd[],
  write: (held: readonly NewEnd[]) => Promise<readonly number[]>,
): Promise<readonly (true | undefined)[]> {
  const [only, ...others] = ends;
  if (only !== undefined && others.length === 0 && typeof only.lease.handle === 'number') {
    const [ended] = await write(ends);
    return [ended === undefined ? undefined : true];
  }
  const first = new Map<number, NewEnd>();
  for (const end of ends)
    if (typeof end.lease.handle === 'number' && !first.has(end.lease.handle)) first.set(end.lease.handle, end);
  if (first.size === 0) return ends.map(() => undefined);
  const held = [...first].sort(([one], [other]) => one - other).map(([, end]) => end);
  const ended = new Set(await write(held));
  return ends.map((end) => {
    const handle = end.lease.handle as number;
    return first.get(handle) === end && ended.has(handle) ? true : undefined;
  });
}

/** The columns of {@link claimValues}; what is quarantined is claimed alone. */
export const CLAIM_COLUMNS = [
  'operation_key',
  'digest',
  'scope',
  'server_name',
  'tool',
  'idempotency_key',
  'fingerprint',
  'request_id',
  'owner_token',
  'state',
  'mode',
  'attempts',
  'attempt_limit',
  'settle_window_ms',
  'retention_ms',
  'arguments',
] as const;

/** One for each column; the last two are how long from now lease and deadline are. */
export function claimValues({ request, key }: NewClaim, codec: Codec): readonly unknown[] {
  const text = (of: string | undefined): unknown => (of === undefined ? null : codec.toColumn(of));
  return [
    bytes(key),
    bytes(digestBytes(digestColumn(request.digest, key))),
    text(request.scope),
    text(request.serverName),
    text(request.tool),
    text(request.idempotencyKey),
    text(request.fingerprint),
    text(request.requestId),
    text(request.ownerToken),
    text(request.state),
    text(request.mode),
    request.state === 'sent' ? 1 : 0,
    request.maxAttempts,
    request.settleWindowMs,
    request.retentionMs,
    text(request.arguments),
    request.leaseMs,
    request.deadlineInMs,
  ];
}

/** Row number, fence, token, state, outcome, result. */
export function endValues({ lease, outcome }: NewEnd, codec: Codec): readonly unknown[] {
  const columns = outcomeColumns(outcome);
  const [words, result] = [columns.outcome, columns.result].map((text) =>
    text === null ? null : codec.toColumn(text),
  );
  return [lease.handle, lease.fence, codec.toColumn(lease.ownerToken), codec.toColumn(outcome.state), words, result];
}

/** For keys in maps. */
export function hex(key: Uint8Array): string {
  return bytes(key).toString('hex');
}

/** The same bytes, as drivers know them. */
function bytes(of: Uint8Array): Buffer {
  return Buffer.from(of.buffer, of.byteOffset, of.byteLength);
}
