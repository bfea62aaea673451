/** What the memory ledger keeps of keys whose records are gone, so that they are not taken for new ones; and until when. */
import type { Linked, LinkedList } from '../runtime/linked-list.ts';
import { ExpiryLists } from './memory-list.ts';
import type { MemoryRecord } from './memory-record.ts';

/** How long a tombstone stands, in retentions of its record. */
const RETENTIONS = 10;

/** What is left of a record. There are ten of them for each record under load, so each holds as little as it can. */
export class Tombstone {
  readonly digest: string;
  readonly row: Row;

  constructor(digest: string, row: Row) {
    this.digest = digest;
    this.row = row;
  }
}

/** Tombstones that go in the same millisecond. */
class Row implements Linked {
  readonly expiresAt: number;
  readonly operationIds: string[];
  list: LinkedList<Linked> | undefined = undefined;
  previous: Linked | undefined = undefined;
  next: Linked | undefined = undefined;

  constructor(expiresAt: number, operationId: string) {
    this.expiresAt = expiresAt;
    this.operationIds = [operationId];
  }
}

/** Knows when which tombstone goes. Where one stands is the store's to know. */
export class Graveyard {
  readonly #rows = new ExpiryLists<Row>((row) => row.expiresAt);

  /** The tombstone of a record whose time is over. */
  bury(record: MemoryRecord): Tombstone {
    const lifetimeMs = record.retentionMs * RETENTIONS;
    const expiresAt = record.endedAt + record.retentionMs + lifetimeMs;
    let row = this.#rows.last(lifetimeMs);
    if (row?.expiresAt === expiresAt) {
      row.operationIds.push(record.operationId);
    } else {
      row = new Row(expiresAt, record.operationId);
      this.#rows.push(row, lifetimeMs);
    }
    return new Tombstone(record.digest, row);
  }

  /** Hands out, once, an operation whose tombstone has no time left at `now`; it may have gone already. */
  takeDue(now: number): { readonly operationId: string; readonly row: Row } | undefined {
    for (let row = this.#rows.due(now); row !== undefined; row = this.#rows.due(now)) {
      const operationId = row.operationIds.pop();
      if (operationId !== undefined) return { operationId, row };
      row.list?.remove(row);
    }
    return undefined;
  }
}
