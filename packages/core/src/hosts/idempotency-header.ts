/** Reads the Idempotency-Key header: the quoted form of the IETF draft, and the bare form that most clients send. */
import { McpTxError } from '../outcome/tx-error.ts';
import { MAX_KEY_LENGTH } from '../policy/identity.ts';

/** How strictly to read. */
export interface KeyHeaderOptions {
  /** Only the quoted form, as draft-ietf-httpapi-idempotency-key-header-07 has it. Default `false`. */
  readonly strict?: boolean;
}

/** An RFC 9651 String: printable ASCII in quotes, with `\"` and `\\` as the only escapes. */
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/;
/** A bare key: visible ASCII without quotes, commas, semicolons and backslashes, which would make it a list or a string. */
const BARE = /^[!#-+\--:<-[\]-~]+$/;

/**
 * The key in a header; `undefined` without one. `"abc"` and `abc` are the same key. Several values are no key: nobody could
 * say which one names the operation.
 *
 * @throws McpTxError `KEY_INVALID`
 */
export function parseIdempotencyKey(
  raw: string | readonly string[] | null | undefined,
  options: KeyHeaderOptions = {},
): string | undefined {
  if (raw === null || raw === undefined) return undefined;
  if (typeof raw !== 'string' && raw.length !== 1) throw invalid('must be given once');
  const text = (typeof raw === 'string' ? raw : (raw[0] ?? '')).trim();
  if (text.length > 2 * MAX_KEY_LENGTH + 2) throw invalid(`has more than ${MAX_KEY_LENGTH} characters`);
  const quoted = QUOTED.exec(text);
  if (quoted === null && options.strict === true) throw invalid('must be a string in quotes (RFC 9651 section 3.3.3)');
  if (quoted === null && !BARE.test(text)) throw invalid('must be one value of printable ASCII, in quotes or bare');
  const key = quoted === null ? text : (quoted[1] ?? '').replace(/\\(["\\])/g, '$1');
  if (key.trim() === '') throw invalid('is empty');
  if (key.length > MAX_KEY_LENGTH) throw invalid(`has more than ${MAX_KEY_LENGTH} characters`);
  return key;
}

function invalid(problem: string): McpTxError {
  return new McpTxError('KEY_INVALID', `the Idempotency-Key header ${problem}`);
}
