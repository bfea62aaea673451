/** Many claims, and many ends, in one statement of PostgreSQL each: arrays go in, and what could be done comes back. */
import type { Claim, ClaimRequest } from '@mcp-tx/core/ledger';
import { answerByReading, grant } from '../operations/claim.ts';
import type { OperationRow } from '../operations/rows.ts';
import { digestColumn, outcomeColumns } from '../operations/rows.ts';
import { SQL_IN_ROWS } from '../operations/statements.ts';
import type { Batches, NewClaim, NewEnd, RunStatement } from './flavour.ts';
import { BYTES, digestBytes } from './flavour.ts';
import { postgresCodec } from './postgres-codec.ts';
import type { StoreClock } from './store-clock.ts';

/** When the server got the statement, epoch ms. Stands for itself in each place: it is one instant throughout a statement. */
const SERVER_NOW = "(date_part('epoch', statement_timestamp()) * 1000)::bigint";

const CLAIM_COLUMNS = [
  ...(['operation_key bytea', 'digest bytea', 'scope text', 'server_name text', 'tool text'] as const),
  ...(['idempotency_key text', 'fingerprint text', 'request_id text', 'owner_token text', 'state text'] as const),
  ...([
    'mode text',
    'attempts integer',
    'attempt_limit bigint',
    'settle_window_ms bigint',
    'retention_ms bigint',
  ] as const),
  ...(['arguments text', 'quarantine_session text', 'lease_ms bigint', 'deadline_ms bigint'] as const),
];
/** The last two are no columns of the table. */
const AS_GIVEN = CLAIM_COLUMNS.slice(0, -2).map(nameOf);

/** What is new gets its number; what was there when the statement began is looked at in the same round trip, and only then. */
function claimText(rows: 'one' | 'many', now: string): string {
  const at = (name: string): string => placed(CLAIM_COLUMNS, name, rows);
  const isSent = `case when ${at('state')} = 'sent' then ${now} end`;
  const times = [`${now} + ${at('lease_ms')}`, `${now} + ${at('deadline_ms')}`, now, isSent];
  const source =
    rows === 'one' ? '' : ` from ${unnest(CLAIM_COLUMNS)} as claims (${CLAIM_COLUMNS.map(nameOf).join(', ')})`;
  const [which, some] =
    rows === 'one'
      ? ['= $1::bytea', 'not exists (select from inserted)']
      : ['= any($1::bytea[])', '(select count(*) from inserted) < cardinality($1::bytea[])'];
  return `with inserted as (
    insert into mcp_tx_operations (${AS_GIVEN.join(', ')}, fence, lease_until, deadline_at, created_at, sent_at)
    select ${AS_GIVEN.map(at).join(', ')}, 1, ${times.join(', ')}${source}
    on conflict (operation_key) do nothing returning id, operation_key)
  select id, operation_key, null::json as found from inserted union all
  select id, operation_key, row_to_json(found) from (${SQL_IN_ROWS.byKey.replace('= ?', which).replace(' from ', `, ${now} as ms from `)}
    and ${some}) as found`;
}

const END_COLUMNS = [
  ...(['operation bigint', 'held_fence bigint', 'token text', 'new_state text', 'new_outcome text'] as const),
  'new_result text' as const,
];

function endText(rows: 'one' | 'many', now: string): string {
  const at = (name: string): string => placed(END_COLUMNS, name, rows);
  const source = rows === 'one' ? '' : ` from ${unnest(END_COLUMNS)} as ends (${END_COLUMNS.map(nameOf).join(', ')})`;
  return `update mcp_tx_operations set state = ${at('new_state')}, outcome = ${at('new_outcome')}, result = ${at('new_result')},
      ended_at = ${now}, owner_token = null, lease_until = 0,
      expires_at = case when ${at('new_state')} = 'in_doubt' then null else ${now} + retention_ms end
    ${source} where id = ${at('operation')} and fence = ${at('held_fence')} and owner_token = ${at('token')}
      and (state = 'sent' or (state = 'claimed' and ${at('new_state')} = 'failed')) returning id`;
}

/** `renamed`: a statement with the names of the ledger. `clock` stands for the server's in tests; its time is the last argument. */
export function postgresBatches(
  runStatement: RunStatement,
  clock: StoreClock | undefined,
  renamed: (text: string) => string,
): Batches {
  const texts = (columns: readonly string[], write: (rows: 'one' | 'many', now: string) => string) => {
    const now = clock === undefined ? SERVER_NOW : `$${columns.length + 1}::bigint`;
    return { one: renamed(write('one', now)), many: renamed(write('many', now)) };
  };
  const claims = texts(CLAIM_COLUMNS, claimText);
  const ends = texts(END_COLUMNS, endText);
  const run = async ({ one, many }: { one: string; many: string }, rows: readonly (readonly unknown[])[]) => {
    const values = parameters(rows);
    const written = runStatement(
      rows.length === 1 ? one : many,
      clock === undefined ? values : [...values, clock.now()],
    );
    return (await written) as readonly Written[];
  };
  return {
    claim: (jobs) => claimMany(jobs, (rows) => run(claims, rows)),
    end: (jobs) => endMany(jobs, (rows) => run(ends, rows)),
  };
}

interface Written {
  readonly id: unknown;
  readonly operation_key: Uint8Array;
  /** The row, as JSON, where it was there already. */
  readonly found: Readonly<Record<string, unknown>> | null;
}

type RunRows = (rows: readonly (readonly unknown[])[]) => Promise<readonly Written[]>;

/** Claims what is new, answers what needs no write; `undefined` at the place of what does, comes twice, or must be compared with others. */
async function claimMany(claims: readonly NewClaim[], run: RunRows): Promise<readonly (Claim | undefined)[]> {
  const first = new Map<string, ClaimRequest>();
  for (const { request } of claims)
    if (request.quarantine === undefined && !first.has(request.operationId)) first.set(request.operationId, request);
  const fresh = claims.filter(({ request }) => first.get(request.operationId) === request);
  // In one order everywhere: two processes that insert the same keys never wait for each other in a circle.
  fresh.sort((one, other) => Buffer.compare(one.key, other.key));
  const answers = new Map<string, Written>();
  const written = fresh.length === 0 ? [] : await run(fresh.map(claimValues));
  for (const answer of written) answers.set(hex(answer.operation_key), answer);
  return claims.map(({ request, key }) => {
    const answer = first.get(request.operationId) === request ? answers.get(hex(key)) : undefined;
    return answer === undefined ? undefined : claimOf(request, answer);
  });
}

function claimOf(request: ClaimRequest, { id, found }: Written): Claim | undefined {
  if (found === null) return grant(request, Number(id), 1, request.state === 'sent' ? 1 : 0, request.maxAttempts);
  const answer = answerByReading(rowOfJson(found), request, Number(found.ms));
  return typeof answer === 'object' ? answer : undefined;
}

/** In JSON, bytes are text: `\\x` and their hex digits. */
function rowOfJson({ ms: _, ...found }: Readonly<Record<string, unknown>>): OperationRow {
  const bytes = BYTES.map((column) => [column, Buffer.from(String(found[column]).slice(2), 'hex')]);
  return postgresCodec.toRow({ ...found, ...Object.fromEntries(bytes) });
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
    ...[request.settleWindowMs, request.retentionMs, toColumn(request.arguments), toColumn(quarantine?.session)],
    ...[request.leaseMs, request.deadlineInMs],
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

function unnest(described: readonly string[]): string {
  return `unnest(${described.map((column, index) => `$${index + 1}::${typeOf(column)}[]`).join(', ')})`;
}

/** A single row's values stand in the statement themselves. */
function placed(described: readonly string[], name: string, rows: 'one' | 'many'): string {
  const index = described.findIndex((column) => nameOf(column) === name);
  return rows === 'many' ? name : `$${index + 1}::${typeOf(described[index] as string)}`;
}

function nameOf(described: string): string {
  return described.split(' ')[0] as string;
}

function typeOf(described: string): string {
  return described.split(' ')[1] as string;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
