/** The requests and responses of HTTP hosts as plain values: no framework type gets past a shell. */
import type { AbortSource } from '../runtime/abort-source.ts';

/** Something to ask for a header; `Headers` is one. */
export interface HeaderReader {
  get(name: string): string | readonly string[] | null | undefined;
}

/** A request's headers: `Headers`, or Node's object of lower-case names. */
export type HeaderSource = HeaderReader | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A body as it came, or, where a framework has read it already, the value that it made of it. Raw is better: a parsed one has lost its duplicate members. */
export type KernelBody = AsyncIterable<Uint8Array> | Uint8Array | string | { readonly parsed: unknown };

/** A request, in the words of no framework. */
export interface KernelRequest<Host = unknown> {
  readonly method: string;
  /** Path below the mount, still percent-encoded, without the query: `/execute/charge`. */
  readonly path: string;
  /** Where the kernel is mounted, without a slash at the end; `Location` headers begin with it. Default: the root. */
  readonly mount?: string;
  /** Query as it came, without the question mark. */
  readonly query?: string;
  readonly headers: HeaderSource;
  readonly body?: KernelBody | null | undefined;
  /** Aborts when the client has gone. */
  readonly signal?: AbortSource | undefined;
  /** The longest that the answer may take, ms, where the host itself ends then. */
  readonly maxMs?: number | undefined;
  /** The framework's own request, for the hooks. */
  readonly host?: Host;
}

/** A response, in the words of no framework. */
export interface KernelResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The whole text, or a stream of events. Whoever stops reading early ends the stream (`return()`). */
  readonly body: string | AsyncIterable<string>;
}

/** A header's value; several lines of one name are one list, as RFC 9110 section 5.3 has it. */
export function headerOf(headers: HeaderSource, name: string): string | undefined {
  const value = typeof headers.get === 'function' ? (headers as HeaderReader).get(name) : ownHeader(headers, name);
  if (value === null || value === undefined) return undefined;
  return typeof value === 'string' ? value : value.join(', ');
}

function ownHeader(headers: HeaderSource, name: string): string | readonly string[] | undefined {
  return Object.hasOwn(headers, name)
    ? (headers as Readonly<Record<string, string | readonly string[]>>)[name]
    : undefined;
}
