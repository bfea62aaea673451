/**
 * Many claims, and many ends, in one statement of MySQL or MariaDB each. A claim looks first: what is there is told in that one round
 * trip. The insert that follows decides; what somebody else has made meanwhile is claimed alone, and so is what a replica did not know.
 */
import type { Outcome } from '@mcp-tx/core/ledger';
import type { Names } from '../operations/names.ts';
import { rename } from '../operations/names.ts';
import { SQL_IN_ROWS } from '../operations/statements.ts';
import { CLAIM_COLUMNS, claimValues, endValues, hex, writeApart } from './batches.ts';
import type { Flavour, NewClaim, NewEnd, RunStatement, WriteBatch, Written } from './flavour.ts';
import type { StoreClock } from './store-clock.ts';

/** What a batch may hold: far below the smallest `max_allowed_packet`, also where each byte is two digits. */
const PACKET_BYTES = 256 * 1024;

const marks = (count: number): string => Array(count).fill('?').join(', ');
const INSERT = `insert into mcp_tx_operations
  (${CLAIM_COLUMNS.join(', ')}, fence, lease_until, deadline_at, created_at, sent_at) values `;
/** `now`: the server's clock in a statement, one instant throughout; `clock` stands for it in tests. */
export function mysqlBatches(
  runStatement: RunStatement,
  clock: StoreClock | undefined,
  names: Names,
  { codec, isDuplicate }: Pick<Flavour, 'codec' | 'isDuplicate'>,
  serverNow: string,
): WriteBatch {
  const run: RunStatement = (text, values) => runStatement(rename(names, text, '`'), values);
  const now = (): string => (clock === undefined ? serverNow : String(clock.now()));

  async function look(keys: readonly Uint8Array[]): Promise<readonly Written[]> {
    const text = SQL_IN_ROWS.byKey
      .replace('= ?', `in (${marks(keys.length)})`)
      .replace(' from ', `, ${now()} as ms from `);
    const { rows } = await run(text, keys);
    return (rows as readonly Readonly<Record<string, unknown>>[]).map(({ ms, ...found }) => {
      const row = codec.toRow(found);
      return { key: row.operation_key, id: row.id, found: { row, now: Number(ms) } };
    });
  }

  async function insert(claims: readonly NewClaim[]): Promise<readonly Written[]> {
    const at = now();
    const rows = claims.map(({ request }) => {
      const sentAt = request.state === 'sent' ? at : 'null';
      return `(${marks(CLAIM_COLUMNS.length)}, 1, ${at} + ?, ${at} + ?, ${at}, ${sentAt})`;
    });
    const values = claims.flatMap((claim) => claimValues(claim, codec));
    try {
      const { insertId } = await run(INSERT + rows.join(', '), values);
      const [only, ...others] = claims;
      if (only !== undefined && others.length === 0 && insertId !== undefined) return [{ key: only.key, id: insertId }];
    } catch (error) {
      if (isDuplicate(error)) return []; // none was inserted
      throw error;
    }
    return numbersOf(claims.map(({ key }) => key));
  }

  /** Of many rows the server tells the first number only, and clusters leave gaps. */
  async function numbersOf(keys: readonly Uint8Array[]): Promise<readonly Written[]> {
    const text = `select id, operation_key from mcp_tx_operations where operation_key in (${marks(keys.length)})`;
    const { rows } = await run(text, keys);
    return (rows as readonly { readonly id: unknown; readonly operation_key: Uint8Array }[]).map((row) => ({
      key: row.operation_key,
      id: Number(row.id),
    }));
  }

  async function claim(fresh: readonly NewClaim[]): Promise<readonly Written[]> {
    const written = [...(await look(fresh.map(({ key }) => key)))];
    const there = new Set(written.map(({ key }) => hex(key)));
    const absent = fresh.filter(({ key }) => !there.has(hex(key)));
    const lengthOf = ({ request }: NewClaim): number => request.arguments?.length ?? 0;
    for (const packet of packets(absent, lengthOf)) written.push(...(await insert(packet)));
    return written;
  }

  /** A statement ends all or, as far as can be told, none: then each looks for itself, and finds its own end where it was made. */
  async function end(held: readonly NewEnd[]): Promise<readonly number[]> {
    const ended: number[] = [];
    for (const packet of packets(held, ({ outcome }) => JSON.stringify(outcome).length)) {
      const { text, values } = endStatement(packet, codec, now());
      const { affectedRows } = await run(text, values);
      if (affectedRows === packet.length) ended.push(...packet.map(({ lease }) => lease.handle as number));
    }
    return ended;
  }

  return (claims, ends) => writeApart({ claim, end }, claims, ends);
}

/** No join with a table of what is given: such a table cuts long texts without a word, and costs more than the update. */
function endStatement(ends: readonly NewEnd[], codec: Flavour['codec'], now: string) {
  const rows = ends.map((end) => endValues(end, codec));
  const ids = rows.map(([id]) => id);
  const values: unknown[] = []; // each is put in as the text comes to it
  const ofEach = (column: number): string => {
    values.push(...rows.flatMap((row) => [row[0], row[column]]));
    return `case id${' when ? then ?'.repeat(rows.length)} end`;
  };
  const idsOf = (state: Outcome['state']): string => {
    const some = ends.filter(({ outcome }) => outcome.state === state).map(({ lease }) => lease.handle);
    values.push(...some);
    return some.length === 0 ? '(null)' : `(${marks(some.length)})`;
  };
  const [state, outcome, result] = [ofEach(3), ofEach(4), ofEach(5)];
  const expires = `case when id in ${idsOf('in_doubt')} then null else ${now} + retention_ms end`;
  values.push(...ids);
  const text = `update mcp_tx_operations set state = ${state}, outcome = ${outcome}, result = ${result},
      ended_at = ${now}, expires_at = ${expires}, owner_token = null, lease_until = 0
    where id in (${marks(ids.length)}) and fence = ${ofEach(1)} and owner_token = ${ofEach(2)}
      and (state = 'sent' or (state = 'claimed' and id in ${idsOf('failed')}))`;
  return { text, values };
}

/** As many as fit in a statement, each time. What does not fit in any is left out, to be done alone. */
function packets<Job>(jobs: readonly Job[], lengthOf: (job: Job) => number): readonly (readonly Job[])[] {
  const filled: Job[][] = [];
  let left = 0;
  for (const job of jobs) {
    const length = 3 * lengthOf(job); // a character is at most three bytes
    if (length > PACKET_BYTES) continue;
    if (length > left || filled.length === 0) {
      filled.push([]);
      left = PACKET_BYTES;
    }
    filled.at(-1)?.push(job);
    left -= length;
  }
  return filled;
}
