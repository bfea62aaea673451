/** What batches of claims and ends have in common, whatever the server: who goes along, and what each is told. */
import type { Claim, ClaimRequest } from '@mcp-tx/core/ledger';
import { answerByReading, grant } from '../operations/claim.ts';
import type { Codec } from '../operations/codec.ts';
import { digestColumn, outcomeColumns } from '../operations/rows.ts';
import type { NewClaim, NewEnd, WriteBatch, Written, WrittenBatch } from './flavour.ts';
import { digestBytes } from './flavour.ts';

/** What goes along in a batch. */
export type Transition = NewClaim | NewEnd;

/** What it is answered; `undefined`: it has to be done alone. */
export type TransitionAnswer = Claim | true | undefined;

/** Writes what is new and what is held. A claim that comes twice, or must be compared with others, is left to be done alone. */
export async function writeMany(
  transitions: readonly Transition[],
  write: WriteBatch,
): Promise<readonly TransitionAnswer[]> {
  const [claims, ends] = [new Map<string, NewClaim>(), new Map<number, NewEnd>()];
  for (const one of transitions) {
    if (isClaim(one)) takeClaim(claims, one);
    else takeEnd(ends, one);
  }
  if (claims.size === 0 && ends.size === 0) return transitions.map(() => undefined);
  // In one order everywhere: two processes that insert the same keys never wait for each other in a circle.
  const fresh = [...claims.values()].sort((one, other) => Buffer.compare(one.key, other.key));
  const held = [...ends].sort(([one], [other]) => one - other).map(([, end]) => end);
  const { written, ended } = await write(fresh, held);
  const answers = new Map(written.map((answer) => [hex(answer.key), answer]));
  const hasEnded = new Set(ended);
  return transitions.map((one) => {
    if (isClaim(one)) {
      const answer = claims.get(one.request.operationId) === one ? answers.get(hex(one.key)) : undefined;
      return answer === undefined ? undefined : claimOf(one.request, answer);
    }
    const handle = one.lease.handle as number;
    return ends.get(handle) === one && hasEnded.has(handle) ? true : undefined;
  });
}

/** What writes claims, and what writes ends, each by itself. */
export interface WriteApart {
  claim(claims: readonly NewClaim[]): Promise<readonly Written[]>;
  end(ends: readonly NewEnd[]): Promise<readonly number[]>;
}

/** Both at once, in statements of their own: what becomes of the ones says nothing of the others. */
export async function writeApart(
  { claim, end }: WriteApart,
  claims: readonly NewClaim[],
  ends: readonly NewEnd[],
): Promise<WrittenBatch> {
  if (ends.length === 0) return { written: await claim(claims), ended: [] };
  if (claims.length === 0) return { written: [], ended: await end(ends) };
  const [written, ended] = await Promise.allSettled([claim(claims), end(ends)]);
  if (written.status === 'rejected' && ended.status === 'rejected') throw written.reason;
  return {
    written: written.status === 'fulfilled' ? written.value : [],
    ended: ended.status === 'fulfilled' ? ended.value : [],
  };
}

/** Whether it is a claim, and not an end. */
export function isClaim(transition: Transition): transition is NewClaim {
  return 'request' in transition;
}

function takeClaim(claims: Map<string, NewClaim>, claim: NewClaim): void {
  const { operationId, quarantine } = claim.request;
  if (quarantine === undefined && !claims.has(operationId)) claims.set(operationId, claim);
}

function takeEnd(ends: Map<number, NewEnd>, end: NewEnd): void {
  const { handle } = end.lease;
  if (typeof handle === 'number' && !ends.has(handle)) ends.set(handle, end);
}

function claimOf(request: ClaimRequest, { id, found }: Written): Claim | undefined {
  if (found === undefined) return grant(request, id, 1, request.state === 'sent' ? 1 : 0, request.maxAttempts);
  const answer = answerByReading(found.row, request, found.now);
  return typeof answer === 'object' ? answer : undefined;
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
