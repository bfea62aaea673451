/** One instance for the whole process: Next loads a module once per bundle and again after every edit, a process has one `globalThis`. */

/** What can say that it has been closed, as an `McpTx` and a `Hub` can. */
export interface Closable {
  readonly isClosed?: boolean;
}

interface Entry {
  readonly making: Promise<object>;
  made?: object & Closable;
}

const HOME: unique symbol = Symbol.for('mcp-tx.next.singletons');

/**
 * A function that gives the process's one instance of this name, and makes it when there is none.
 *
 * Everybody who asks while it is being made shares that attempt. A failure is told to all of them and not kept: the next one who asks
 * tries anew. So it is after `close()`. An edit of `create` takes effect when the process starts again, not with a hot reload.
 */
export function mcpTxSingleton<T extends object>(name: string, create: () => T | Promise<T>): () => Promise<T> {
  return () => {
    const entries = home();
    const entry = entries.get(name);
    if (entry !== undefined && entry.made?.isClosed !== true) return entry.making as Promise<T>;
    return makeEntry(entries, name, create);
  };
}

function makeEntry<T extends object>(
  entries: Map<string, Entry>,
  name: string,
  create: () => T | Promise<T>,
): Promise<T> {
  const making = (async () => create())();
  const entry: Entry = { making };
  entries.set(name, entry);
  making.then(
    (made) => {
      entry.made = made;
    },
    () => {
      if (entries.get(name) === entry) entries.delete(name);
    },
  );
  return making;
}

function home(): Map<string, Entry> {
  const place = globalThis as { [HOME]?: Map<string, Entry> };
  place[HOME] ??= new Map();
  return place[HOME];
}
