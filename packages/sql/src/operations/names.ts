/** Decides what the tables of a ledger are called, so that several ledgers can live in one database and never meet. */
import { McpTxError } from '@mcp-tx/core/ledger';
import type { IdentifierNode, KyselyPlugin, PluginTransformQueryArgs, RootOperationNode } from 'kysely';
import { OperationNodeTransformer } from 'kysely';

/** Names as a user may choose them. */
export interface NameOptions {
  /** What the names of all tables and indexes begin with: small letters, digits and `_`. Default `mcp_tx`. */
  readonly table?: string;
  /** Schema of PostgreSQL, or database of MySQL, that the tables are in. Default: where the connection puts them. */
  readonly schema?: string;
}

/** The names of one ledger. */
export interface Names {
  readonly table: string;
  readonly schema: string | undefined;
}

/** What they are called in the sources. */
const DEFAULT = 'mcp_tx';
/** The longest of our own endings has to fit behind it: PostgreSQL cuts names at 63 characters, and two would become one. */
const TABLE = /^[a-z_][a-z0-9_]{0,39}$/;
const SCHEMA = /^[A-Za-z_][A-Za-z0-9_$-]{0,62}$/;

/** @throws McpTxError `CONFIG_INVALID`; `maker` is the function that the user called */
export function namesOf({ table = DEFAULT, schema }: NameOptions, maker: string): Names {
  if (typeof table !== 'string' || !TABLE.test(table))
    throw invalid(maker, `table must match ${TABLE}, not ${JSON.stringify(table)}`);
  if (schema !== undefined && (typeof schema !== 'string' || !SCHEMA.test(schema)))
    throw invalid(maker, `schema must match ${SCHEMA}, not ${JSON.stringify(schema)}`);
  return { table, schema };
}

/** A statement of ours with the names of this ledger. */
export function rename({ table, schema }: Names, text: string, quote: '"' | '`'): string {
  const own = table === DEFAULT ? text : text.replaceAll(/\bmcp_tx_/g, `${table}_`);
  if (schema === undefined) return own;
  const tables = new RegExp(`(?<!\\bof )\\b${table}_(?:operations|results|audit|migrations)\\b`, 'g');
  return own.replaceAll(tables, (name) => `${quote}${schema}${quote}.${name}`);
}

/** The same for what is built by Kysely: the plugins that it needs. */
export function renaming({ table }: Names): readonly KyselyPlugin[] {
  if (table === DEFAULT) return [];
  const renamer = new Renamer(table);
  const transformQuery = ({ node, queryId }: PluginTransformQueryArgs): RootOperationNode =>
    renamer.transformNode(node, queryId);
  return [{ transformQuery, transformResult: async ({ result }) => result }];
}

class Renamer extends OperationNodeTransformer {
  readonly #table: string;

  constructor(table: string) {
    super();
    this.#table = table;
  }

  protected override transformIdentifier(node: IdentifierNode): IdentifierNode {
    if (!node.name.startsWith(`${DEFAULT}_`)) return node;
    return { ...node, name: this.#table + node.name.slice(DEFAULT.length) };
  }
}

function invalid(maker: string, what: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `${maker}: ${what}`);
}
