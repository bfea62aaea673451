/** Many claims and many ends in one statement of PostgreSQL: arrays go in, and what could be done comes back. */
import type { OperationRow } from '../operations/rows.ts';
import { CLAIM_COLUMNS, claimValues, endValues, writeApart } from './batches.ts';
import type { NewClaim, NewEnd, RunStatement, WriteBatch, Written, WrittenBatch } from './flavour.ts';
import { BYTES } from './flavour.ts';
import { postgresCodec } from './postgres-codec.ts';
import type { Given, RowKind } from './postgres-rows.ts';
import { givenRows, kindOf, parametersOf } from './postgres-rows.ts';
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
const END_DESCRIBED = [
  ...(['operation bigint', 'held_fence bigint', 'token text', 'new_state text', 'new_outcome text'] as const),
  'new_result text' as const,
];

/** What is new gets its number; what was there when the statement began is looked at in the same round trip, and only then. */
function claimText({ kind, at, source }: Given, now: string): string {
  const isSent = `case when ${at('state')} = 'sent' then ms end`;
  const times = [`ms + ${at('lease_ms')}`, `ms + ${at('deadline_ms')}`, 'ms', isSent];
  const sources = [...source, `(select ${now} as ms offset 0) as at`].join(', '); // worked out once
  const [key, which, some] =
    kind === 'one'
      ? ['', '= $1::bytea', 'not exists (select from inserted)']
      : [
          ', operation_key',
          '= any((select $1::bytea[])::bytea[])',
          '(select count(*) from inserted) < cardinality($1::bytea[])',
        ];
  return `inserted as (
    insert into mcp_tx_operations (${CLAIM_COLUMNS.join(', ')}, fence, lease_until, deadline_at, created_at, sent_at)
    select ${CLAIM_COLUMNS.map(at).join(', ')}, 1, ${times.join(', ')} from ${sources}
    on conflict (operation_key) do nothing returning id${key})
  select id${key}, null::json as found, null::bigint as ms from inserted union all
  select id${key}, row_to_json(found), ${now} from mcp_tx_operations as found where operation_key ${which} and ${some}`;
}

function endText({ at, source }: Given, now: string): string {
  return `update mcp_tx_operations set state = ${at('new_state')}, outcome = ${at('new_outcome')}, result = ${at('new_result')},
      ended_at = ${now}, owner_token = null, lease_until = 0,
      expires_at = case when ${at('new_state')} = 'in_doubt' then null else ${now} + retention_ms end
    ${source.map((rows) => `from ${rows}`)} where id = ${at('operation')} and fence = ${at('held_fence')} and owner_token = ${at('token')}
      and (state = 'sent' or (state = 'claimed' and ${at('new_state')} = 'failed'))`;
}

/** One statement and one commit for both. Their number comes as `ms` of a row that has no `id`. */
function bothText(claims: Given, ends: Given, now: string): string {
  return `with ended as (${endText(ends, now)} returning 1), ${claimText(claims, now)}
  union all select null, null, null, count(*) from ended`;
}

/** `renamed`: a statement with the names of the ledger. `clock` stands for the server's in tests; its time is the last argument. */
export function postgresBatches(
  runStatement: RunStatement,
  clock: StoreClock | undefined,
  renamed: (text: string) => string,
): WriteBatch {
  const texts = new Map<string, string>();
  const textOf = (name: string, write: () => string): string => {
    const text = texts.get(name) ?? renamed(write());
    texts.set(name, text);
    return text;
  };
  const run = (text: string, values: readonly unknown[]) =>
    runStatement(text, clock === undefined ? values : [...values, clock.now()]);
  /** `columns`: of all that is given. */
  const now = (columns: number): string => (clock === undefined ? SERVER_NOW : `$${columns + 1}::bigint`);

  async function claim(claims: readonly NewClaim[]): Promise<readonly Written[]> {
    const { kind, values } = claimsGiven(claims);
    const given = () => givenRows(CLAIM_DESCRIBED, kind, 1);
    const text = textOf(`claim ${kind}`, () => `with ${claimText(given(), now(CLAIM_DESCRIBED.length))}`);
    const { rows } = await run(text, values);
    return (rows as readonly Claimed[]).map((row) => written(row, claims));
  }

  async function end(ends: readonly NewEnd[]): Promise<readonly number[]> {
    const { kind, values } = endsGiven(ends);
    const given = () => givenRows(END_DESCRIBED, kind, 1);
    const text = textOf(`end ${kind}`, () => endText(given(), now(END_DESCRIBED.length)));
    const { affectedRows } = await run(text, values);
    return endedOf(ends, affectedRows);
  }

  async function both(claims: readonly NewClaim[], ends: readonly NewEnd[]): Promise<WrittenBatch> {
    const [first, second] = [claimsGiven(claims), endsGiven(ends)];
    const [offset, columns] = [CLAIM_DESCRIBED.length + 1, CLAIM_DESCRIBED.length + END_DESCRIBED.length];
    const text = textOf(`${first.kind} claims, ${second.kind} ends`, () => {
      const given = [givenRows(CLAIM_DESCRIBED, first.kind, 1), givenRows(END_DESCRIBED, second.kind, offset)] as const;
      return bothText(...given, now(columns));
    });
    const { rows } = await run(text, [...first.values, ...second.values]);
    const claimed = (rows as readonly Claimed[]).filter(({ id }) => id !== null);
    const count = (rows as readonly Claimed[]).find(({ id }) => id === null);
    return { written: claimed.map((row) => written(row, claims)), ended: endedOf(ends, Number(count?.ms)) };
  }

  return async (claims, ends) => {
    if (claims.length > 1 && ends.length > 1) return both(claims, ends);
    return writeApart({ claim, end }, claims, ends);
  };
}

const claimsGiven = (claims: readonly NewClaim[]) =>
  given(
    CLAIM_DESCRIBED,
    claims.map((one) => claimValues(one, postgresCodec)),
  );
const endsGiven = (ends: readonly NewEnd[]) =>
  given(
    END_DESCRIBED,
    ends.map((one) => endValues(one, postgresCodec)),
  );

function given(described: readonly string[], rows: readonly (readonly unknown[])[]) {
  const kind: RowKind = kindOf(described, rows);
  return { kind, values: parametersOf(described, rows, kind) };
}

/** Which rows it was costs more to tell than to find out, once in a while, by looking at each. */
function endedOf(ends: readonly NewEnd[], count: number): readonly number[] {
  return count === ends.length ? ends.map(({ lease }) => lease.handle as number) : [];
}

interface Claimed {
  readonly id: unknown;
  /** Where there are several. */
  readonly operation_key?: Uint8Array;
  /** The row, as JSON, where it was there already, and the server's time. */
  readonly found: Readonly<Record<string, unknown>> | null;
  readonly ms: unknown;
}

function written({ id, operation_key, found, ms }: Claimed, [first]: readonly NewClaim[]): Written {
  const key = operation_key ?? (first as NewClaim).key;
  const claim = { key, id: Number(id) };
  return found === null ? claim : { ...claim, found: { row: rowOfJson(found), now: Number(ms) } };
}

/** In JSON, bytes are text: `\\x` and their hex digits. */
function rowOfJson(found: Readonly<Record<string, unknown>>): OperationRow {
  const bytes = BYTES.map((column) => [column, Buffer.from(String(found[column]).slice(2), 'hex')]);
  return postgresCodec.toRow({ ...found, ...Object.fromEntries(bytes) });
}
