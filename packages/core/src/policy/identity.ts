/** Decides what an operation is called and what counts as "the same arguments". Anybody can compute both without the ledger. */
import { McpTxError } from '../outcome/tx-error.ts';
import { IdWriter } from '../runtime/base32.ts';
import type { JsonLimits } from '../runtime/canonical-json.ts';
import { canonicalJson, checkJson, JsonDefectError } from '../runtime/canonical-json.ts';
import { sha256Hex, sha256Text } from '../runtime/digest.ts';

/** Version of both derivations; part of each digest. */
const IDENTITY_VERSION = 1;

const OPERATION_ID = new IdWriter('op_');

/** Longest idempotency key, in UTF-16 code units. */
export const MAX_KEY_LENGTH = 255;

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/;

/** Name of an operation. */
export interface OperationIdentity {
  readonly operationId: string;
  /** Hex SHA-256 that the id is cut from; empty for a call without a key. */
  readonly digest: string;
}

/**
 * Refuses a key that cannot be one: empty, longer than 255 code units, lone surrogates, control characters (C0, DEL, C1).
 * Nothing else is special: keys that differ in any code unit are different keys.
 *
 * @throws McpTxError `KEY_INVALID`
 */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string') throw keyError(`must be a string, not ${key === null ? 'null' : typeof key}`);
  if (key.length === 0) throw keyError('is empty; leave it out to have none');
  if (key.length > MAX_KEY_LENGTH)
    throw keyError(`has ${key.length} characters; at most ${MAX_KEY_LENGTH} are allowed`);
  if (!key.isWellFormed()) throw keyError('has a lone surrogate');
  if (CONTROLS.test(key)) throw keyError('has control characters');
}

/**
 * `operationId = 'op_' + base32(first 16 bytes of SHA-256(version, scope, server name, key))`, each part preceded by its length
 * in code units and a colon, so that no two different triples share a text.
 */
export function identify(scope: string, serverName: string, key: string): OperationIdentity {
  const text = `${IDENTITY_VERSION};${scope.length}:${scope}${serverName.length}:${serverName}${key.length}:${key}`;
  const digest = sha256Hex(text);
  return { operationId: OPERATION_ID.ofHex(digest), digest };
}

/** The canonical text of a call's arguments (RFC 8785). @throws McpTxError `ARGUMENTS_INVALID`, with the path of the defect */
export function argumentsText(args: Readonly<Record<string, unknown>>, limits: JsonLimits): string {
  return checked(args, () => canonicalJson(args, limits));
}

/** Length of a call's arguments, at least, without their text. @throws McpTxError `ARGUMENTS_INVALID`, with the path of the defect */
export function argumentsLength(args: Readonly<Record<string, unknown>>, limits: JsonLimits): number {
  return checked(args, () => checkJson(args, limits));
}

function checked<T>(args: Readonly<Record<string, unknown>>, look: () => T): T {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    throw new McpTxError('ARGUMENTS_INVALID', 'the arguments must be an object');
  }
  try {
    return look();
  } catch (error) {
    if (!(error instanceof JsonDefectError)) throw error;
    const message = `the arguments cannot be sent: ${error.message}`;
    throw new McpTxError('ARGUMENTS_INVALID', message, { reason: 'not-json', cause: error });
  }
}

/** SHA-256 over the RFC 8785 form of `{ arguments, tool, v }`, base64url. `text` is the canonical form of the arguments. */
export function fingerprintOf(tool: string, text: string): string {
  return sha256Text(`{"arguments":${text},"tool":${JSON.stringify(tool)},"v":${IDENTITY_VERSION}}`);
}

function keyError(problem: string): McpTxError {
  return new McpTxError('KEY_INVALID', `the idempotency key ${problem}`);
}
