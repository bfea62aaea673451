/** Many claims, and many ends, in one statement of PostgreSQL each: arrays go in, and what could be done comes back. */
import type { Claim, ClaimRequest } from '@mcp-tx/core/ledger';
import type { Kysely } from 'kysely';
import { CompiledQuery } from 'kysely';
import { grant } from '../operations/claim.ts';
import { digestColumn, outcomeColumns } from '../operations/rows.ts';
import type { LedgerTables } from '../operations/tables.ts';
import type { Batches, NewClaim, NewEnd } from './flavour.ts';
import { digestBytes } from './flavour.ts';
import { postgresCodec } from './postgres-codec.ts';
import type { StoreClock } from './store-clock.ts';

/** The last argument stands for the server's clock in tests. */
const NOW = 'select coalesce($CLOCK::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint) as ms';

const CLAIM_COLUMNS = [
  ...(['operation_key bytea', 'digest bytea', 'scope text', 'server_name text', 'tool text'] as const),
  ...(['idempotency_key text', 'fingerprint text', 'request_id text', 'owner_token text', 'state text'] as const),
  ...(['mode text', 'attempts integer', 'attempt_limit bigint', 'lease_ms bigint', 'deadline_ms bigint'] as const),
  ...(['settle_window_ms bigint', 'retention_ms bigint', 'arguments text', 'quarantine_session text'] as const),
];
const SAME = [
  'operation_key',
  'digest',
  'scope',
  'server_name',
  'tool',
  'idempotency_key',
  'fingerprint',
  'request_id',
];
const ALSO = ['settle_window_ms', 'retention_ms', 'arguments', 'quarantine_session'];

const claimText = (source: string): string => `with now as (${NOW.replace('$CLOCK', `$${CLAIM_COLUMNS.length + 1}`)})
  insert into mcp_tx_operations (${[...SAME, 'owner_token', 'state', 'mode', 'attempts', 'attempt_limit', ...ALSO].join(', ')},
    fence, lease_until, deadline_at, created_at, sent_at)
  select ${[...SAME, 'owner_token', 'state', 'mode', 'attempts', 'attempt_limit', ...ALSO].join(', ')},
    1, ms + lease_ms, ms + deadline_ms, ms, case when state = 'sent' then ms end
  from ${source} as claims (${namesOf(CLAIM_COLUMNS)}), now
  on conflict (operation_key) do nothing returning id, operation_key`;

const END_COLUMNS = [
  ...(['operation bigint', 'held_fence bigint', 'token text', 'new_state text', 'new_outcome text'] as const),
  'new_result text' as const,
];

const endText = (source: string): string => `with now as (${NOW.replace('$CLOCK', `$${END_COLUMNS.length + 1}`)}),
  ends as (select * from ${source} as ends (${namesOf(END_COLUMNS)})),
  ended as (update mcp_tx_operations set state = new_state, outcome = new_outcome, ended_at = ms, owner_token = null, lease_until = 0,
      expires_at = case when new_state = 'in_doubt' then null else ms + retention_ms end
    from ends, now where id = operation and fence = held_fence and owner_token = token
      and (state = 'sent' or (state = 'claimed' and new_state = 'failed')) returning id),
  results as (insert into mcp_tx_results (operation, result)
    select operation, new_result from ends join ended on id = operation where new_result is not null)
  select id from ended`;

/** `renamed`: a statement with the names of the ledger. */
export function postgresBatches(
  db: Kysely<LedgerTables>,
  clock: StoreClock | undefined,
  renamed: (text: string) => string,
): Batches {
  const claims = { one: renamed(claimText(oneOf(CLAIM_COLUMNS))), many: renamed(claimText(manyOf(CLAIM_COLUMNS))) };
  const ends = { one: renamed(endText(oneOf(END_COLUMNS))), many: renamed(endText(manyOf(END_COLUMNS))) };
  const run = async (texts: { one: string; many: string }, rows: readonly (readonly unknown[])[]) => {
    const values = [...parameters(rows), clock?.now() ?? null];
    const query = CompiledQuery.raw(rows.length === 1 ? texts.one : texts.many, values);
    return (await db.executeQuery<Written>(query)).rows;
  };
  return {
    claim: (jobs) => claimMany(jobs, (rows) => run(claims, rows)),
    end: (jobs) => endMany(jobs, (rows) => run(ends, rows)),
  };
}

interface Written {
  readonly id: unknown;
  readonly operation_key: Uint8Array;
}

type RunRows = (rows: readonly (readonly unknown[])[]) => Promise<readonly Written[]>;

/** Claims what is new; `undefined` at the place of what is there already, or comes twice, or must be compared with others. */
async function claimMany(claims: readonly NewClaim[], run: RunRows): Promise<readonly (Claim | undefined)[]> {
  const first = new Map<string, ClaimRequest>();
  for (const { request } of claims)
    if (request.quarantine === undefined && !first.has(request.operationId)) first.set(request.operationId, request);
  const fresh = claims.filter(({ request }) => first.get(request.operationId) === request);
  // In one order everywhere: two processes that insert the same keys never wait for each other in a circle.
  fresh.sort((one, other) => Buffer.compare(one.key, other.key));
  const ids = new Map<string, number>();
  const written = fresh.length === 0 ? [] : await run(fresh.map(claimValues));
  for (const { id, operation_key } of written) ids.set(hex(operation_key), Number(id));
  return claims.map(({ request, key }) => {
    const id = first.get(request.operationId) === request ? ids.get(hex(key)) : undefined;
    if (id === undefined) return undefined;
    return grant(request, id, 1, request.state === 'sent' ? 1 : 0, request.maxAttempts);
  });
}

/** Ends what is held; `undefined` at the place of what has to be looked at. */
async function endMany(ends: readonly NewEnd[], run: RunRows): Promise<readonly (true | undefined)[]> {
  const first = new Map<unknown, NewEnd>();
  for (const end of ends)
    if (typeof end.lease.handle === 'number' && !first.has(end.lease.handle)) first.set(end.lease.handle, end);
  if (first.size === 0) return ends.map(() => undefined);
  const ended = new Set((await run([...first.values()].map(endValues))).map(({ id }) => Number(id)));
  return ends.map((end) => {
    const { handle } = end.lease;
    return first.get(handle) === end && ended.has(handle as number) ? true : undefined;
  });
}

function claimValues({ request, key }: NewClaim): readonly unknown[] {
  const { quarantine } = request;
  const texts = [
    request.scope,
    request.serverName,
    request.tool,
    request.idempotencyKey,
    request.fingerprint,
    request.requestId,
  ];
  return [
    ...[Buffer.from(key), Buffer.from(digestBytes(digestColumn(request.digest, key))), ...texts.map(toColumn)],
    ...[request.ownerToken, request.state, request.mode, request.state === 'sent' ? 1 : 0, request.maxAttempts],
    ...[request.leaseMs, request.deadlineInMs, request.settleWindowMs, request.retentionMs],
    ...[toColumn(request.arguments), toColumn(quarantine?.session)],
  ];
}

function endValues({ lease, outcome }: NewEnd): readonly unknown[] {
  const { result, outcome: words } = outcomeColumns(outcome);
  return [lease.handle, lease.fence, lease.ownerToken, outcome.state, toColumn(words), toColumn(result)];
}

function toColumn(text: string | null | undefined): unknown {
  return text === null || text === undefined ? null : postgresCodec.toColumn(text);
}

/** One array for each column; of a single row its values, for a statement that the server plans in half the time. */
function parameters(rows: readonly (readonly unknown[])[]): readonly unknown[] {
  const [first = []] = rows;
  return rows.length === 1 ? first : first.map((_, column) => rows.map((row) => row[column]));
}

function manyOf(described: readonly string[]): string {
  return `unnest(${described.map((column, index) => `$${index + 1}::${column.split(' ')[1]}[]`).join(', ')})`;
}

function oneOf(described: readonly string[]): string {
  return `(values (${described.map((column, index) => `$${index + 1}::${column.split(' ')[1]}`).join(', ')}))`;
}

function namesOf(described: readonly string[]): string {
  return described.map((column) => column.split(' ')[0]).join(', ');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
