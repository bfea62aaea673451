/** Many claims, and many ends, in one statement of PostgreSQL each: arrays go in, and what could be done comes back. */
import type { OperationRow } from '../operations/rows.ts';
import type { Written } from './batches.ts';
import { CLAIM_COLUMNS, claimMany, claimValues, endMany, endValues } from './batches.ts';
import type { Batches, NewClaim, NewEnd, RunStatement } from './flavour.ts';
import { BYTES } from './flavour.ts';
import { postgresCodec } from './postgres-codec.ts';
import type { StoreClock } from './store-clock.ts';

/** When the server got the statement, epoch ms. Stands for itself in each place: it is one instant throughout a statement. */
const SERVER_NOW = "(date_part('epoch', statement_timestamp()) * 1000)::bigint";

const BYTEA: readonly string[] = ['operation_key', 'digest'];
const NUMERIC = { attempts: 'integer', attempt_limit: 'bigint', settle_window_ms: 'bigint', retention_ms: 'bigint' };
/** With their types; the last two are no columns of the table. */
const CLAIM_DESCRIBED = [
  ...CLAIM_COLUMNS.map((name) => {
    const type = BYTEA.includes(name) ? 'bytea' : ((NUMERIC as Readonly<Record<string, string>>)[name] ?? 'text');
    return `${name} ${type}`;
  }),
  ...['lease_ms bigint', 'deadline_ms bigint'],
];

/** How many rows a statement is for. `alike`: several that differ in no column of {@link SHARED}, as calls of one kind do. */
type Rows = 'one' | 'alike' | 'many';
const SHARED: readonly string[] = [
  ...['scope', 'server_name', 'state', 'mode', 'attempts', 'attempt_limit', 'settle_window_ms', 'retention_ms'],
  ...['lease_ms', 'deadline_ms', 'held_fence', 'new_state', 'new_outcome'],
];

/** What is new gets its number; what was there when the statement began is looked at in the same round trip, and only then. */
function claimText(rows: Rows, now: string): string {
  const at = (name: string): string => placed(CLAIM_DESCRIBED, name, rows);
  const isSent = `case when ${at('state')} = 'sent' then ms end`;
  const times = [`ms + ${at('lease_ms')}`, `ms + ${at('deadline_ms')}`, 'ms', isSent];
  const source = [...given(CLAIM_DESCRIBED, rows), `(select ${now} as ms offset 0) as at`].join(', '); // worked out once
  const [key, which, some] =
    rows === 'one'
      ? ['', '= $1::bytea', 'not exists (select from inserted)']
      : [
          ', operation_key',
          '= any((select $1::bytea[])::bytea[])',
          '(select count(*) from inserted) < cardinality($1::bytea[])',
        ];
  return `with inserted as (
    insert into mcp_tx_operations (${CLAIM_COLUMNS.join(', ')}, fence, lease_until, deadline_at, created_at, sent_at)
    select ${CLAIM_COLUMNS.map(at).join(', ')}, 1, ${times.join(', ')} from ${source}
    on conflict (operation_key) do nothing returning id${key})
  select id${key}, null::json as found, null::bigint as ms from inserted union all
  select id${key}, row_to_json(found), ${now} from mcp_tx_operations as found where operation_key ${which} and ${some}`;
}

const END_COLUMNS = [
  ...(['operation bigint', 'held_fence bigint', 'token text', 'new_state text', 'new_outcome text'] as const),
  'new_result text' as const,
];

function endText(rows: Rows, now: string): string {
  const at = (name: string): string => placed(END_COLUMNS, name, rows);
  return `update mcp_tx_operations set state = ${at('new_state')}, outcome = ${at('new_outcome')}, result = ${at('new_result')},
      ended_at = ${now}, owner_token = null, lease_until = 0,
      expires_at = case when ${at('new_state')} = 'in_doubt' then null else ${now} + retention_ms end
    ${given(END_COLUMNS, rows).map((source) => `from ${source}`)} where id = ${at('operation')} and fence = ${at('held_fence')} and owner_token = ${at('token')}
      and (state = 'sent' or (state = 'claimed' and ${at('new_state')} = 'failed'))`;
}

/** `renamed`: a statement with the names of the ledger. `clock` stands for the server's in tests; its time is the last argument. */
export function postgresBatches(
  runStatement: RunStatement,
  clock: StoreClock | undefined,
  renamed: (text: string) => string,
): Batches {
  const texts = (columns: readonly string[], write: (rows: Rows, now: string) => string) => {
    const now = clock === undefined ? SERVER_NOW : `$${columns.length + 1}::bigint`;
    const text = (rows: Rows): string => renamed(write(rows, now));
    const shared = columns.map((column) => SHARED.includes(nameOf(column)));
    return { shared, one: text('one'), alike: text('alike'), many: text('many') };
  };
  const claims = texts(CLAIM_DESCRIBED, claimText);
  const ends = texts(END_COLUMNS, endText);
  const run = (statement: typeof claims, rows: readonly (readonly unknown[])[]) => {
    const kind = kindOf(rows, statement.shared);
    const values = parameters(rows, kind, statement.shared);
    return runStatement(statement[kind], clock === undefined ? values : [...values, clock.now()]);
  };
  async function claim(fresh: readonly NewClaim[]): Promise<readonly Written[]> {
    const { rows } = await run(
      claims,
      fresh.map((one) => claimValues(one, postgresCodec)),
    );
    const [{ key } = { key: undefined }] = fresh;
    return (rows as readonly Claimed[]).map((row) => written(row, row.operation_key ?? (key as Uint8Array)));
  }
  /** Which rows it was costs more to tell than to find out, once in a while, by looking at each. */
  async function end(held: readonly NewEnd[]): Promise<readonly number[]> {
    const { affectedRows } = await run(
      ends,
      held.map((one) => endValues(one, postgresCodec)),
    );
    return affectedRows === held.length ? held.map(({ lease }) => lease.handle as number) : [];
  }
  return { claim: (jobs) => claimMany(jobs, claim), end: (jobs) => endMany(jobs, end) };
}

interface Claimed {
  readonly id: unknown;
  /** Where there are several. */
  readonly operation_key?: Uint8Array;
  /** The row, as JSON, where it was there already, and the server's time. */
  readonly found: Readonly<Record<string, unknown>> | null;
  readonly ms: unknown;
}

function written({ id, found, ms }: Claimed, key: Uint8Array): Written {
  const claim = { key, id: Number(id) };
  return found === null ? claim : { ...claim, found: { row: rowOfJson(found), now: Number(ms) } };
}

/** In JSON, bytes are text: `\\x` and their hex digits. */
function rowOfJson(found: Readonly<Record<string, unknown>>): OperationRow {
  const bytes = BYTES.map((column) => [column, Buffer.from(String(found[column]).slice(2), 'hex')]);
  return postgresCodec.toRow({ ...found, ...Object.fromEntries(bytes) });
}

function kindOf(rows: readonly (readonly unknown[])[], shared: readonly boolean[]): Rows {
  const [first = [], ...others] = rows;
  if (others.length === 0) return 'one';
  return others.every((row) => shared.every((is, column) => !is || row[column] === first[column])) ? 'alike' : 'many';
}

/** An array for each column, or one value where it stands for all. The server plans a single row's statement in half the time. */
function parameters(rows: readonly (readonly unknown[])[], kind: Rows, shared: readonly boolean[]): readonly unknown[] {
  const [first = []] = rows;
  if (kind === 'one') return first;
  return first.map((value, column) => (kind === 'alike' && shared[column] ? value : rows.map((row) => row[column])));
}

/**
 * The rows that arrays give. Their lengths are hidden from the planner by a select each: it would make a plan for each length that is
 * below its guess of ten, each time, and a plan takes longer than all the rest.
 */
function given(described: readonly string[], rows: Rows): readonly string[] {
  if (rows === 'one') return [];
  const isArray = (column: string): boolean => rows === 'many' || !SHARED.includes(nameOf(column));
  const arrays = described.flatMap((column, index) =>
    isArray(column) ? [`(select $${index + 1}::${typeOf(column)}[])`] : [],
  );
  return [`unnest(${arrays.join(', ')}) as given (${described.filter(isArray).map(nameOf).join(', ')})`];
}

/** Where a value stands: in a row that is given, or in the statement itself. */
function placed(described: readonly string[], name: string, rows: Rows): string {
  if (rows === 'many' || (rows === 'alike' && !SHARED.includes(name))) return name;
  const index = described.findIndex((column) => nameOf(column) === name);
  return `$${index + 1}::${typeOf(described[index] as string)}`;
}

function nameOf(described: string): string {
  return described.split(' ')[0] as string;
}

function typeOf(described: string): string {
  return described.split(' ')[1] as string;
}
