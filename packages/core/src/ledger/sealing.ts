/** Decides what of a record is sealed, with which key, and what is said of a text that cannot be opened. */
import type { Outcome } from '../outcome/outcome.ts';
import { McpTxError } from '../outcome/tx-error.ts';
import type { Mutable } from '../runtime/mutable.ts';
import type { SealKey } from '../runtime/seal.ts';
import { KEY_LENGTH, seal, sealedWith, sealKey, unseal } from '../runtime/seal.ts';
import type { OperationRecord } from './record.ts';

/** Options of {@link encryptedLedger}. */
export interface EncryptionOptions {
  /**
   * 32 random bytes each, under a name of your own: letters, digits, `_`, `-`. The first one encrypts, all of them decrypt. To rotate,
   * put a new one in front in every process, and take the old one away when no record of its time is left.
   */
  readonly keys: readonly { readonly id: string; readonly key: Uint8Array }[];
  /** `accept`: also read what was stored before there was encryption; who can write to the store can then forge it. Default `refuse`. */
  readonly plainText?: 'refuse' | 'accept';
  /** Told of a stored call that a sweep leaves alone because its arguments cannot be opened. */
  readonly onUnreadable?: (operationId: string, error: McpTxError) => void;
}

type Part = 'arguments' | 'result';
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Seals what is stored, opens what is read. */
export class Sealing {
  readonly #keys: ReadonlyMap<string, SealKey>;
  readonly #newest: SealKey;
  readonly #acceptsPlainText: boolean;

  /** @throws McpTxError `CONFIG_INVALID` */
  constructor({ keys, plainText = 'refuse' }: EncryptionOptions) {
    if (!Array.isArray(keys)) throw invalid('keys must be a list');
    if (plainText !== 'refuse' && plainText !== 'accept') throw invalid("plainText must be 'refuse' or 'accept'");
    for (const { id, key } of keys) {
      if (typeof id !== 'string' || !KEY_ID.test(id)) throw invalid(`the id of a key must match ${KEY_ID}`);
      if (!(key instanceof Uint8Array) || key.length !== KEY_LENGTH)
        throw invalid(`the key ${id} must be ${KEY_LENGTH} bytes, as randomBytes(${KEY_LENGTH}) gives them`);
    }
    const ready = keys.map(({ id, key }) => sealKey(id, key));
    const [newest] = ready;
    if (newest === undefined) throw invalid('keys is empty');
    this.#keys = new Map(ready.map((key) => [key.id, key]));
    if (this.#keys.size < ready.length) throw invalid('two keys have the same id');
    this.#newest = newest;
    this.#acceptsPlainText = plainText === 'accept';
  }

  arguments(operationId: string, text: string): string {
    return seal(this.#newest, placeOf(operationId, 'arguments'), text);
  }

  /** `like`: an outcome as it is stored, whose key is to be used again, so that equal ends stay equal. */
  outcome(operationId: string, outcome: Outcome, like?: Outcome): Outcome {
    if (outcome.state !== 'completed' || outcome.result === undefined) return outcome;
    const place = placeOf(operationId, 'result');
    const former = like?.state === 'completed' ? like.result : undefined;
    const keyId = former === undefined ? undefined : sealedWith(former);
    if (former !== undefined && keyId === undefined && this.#acceptsPlainText) return outcome;
    const key = keyId === undefined ? this.#newest : (this.#keys.get(keyId) ?? this.#newest);
    return { ...outcome, result: seal(key, place, outcome.result) };
  }

  /** @throws McpTxError `LEDGER_CORRUPT` */
  record(record: OperationRecord): OperationRecord {
    const { operationId, arguments: args, outcome } = record;
    const opened: Mutable<OperationRecord> = { ...record };
    if (args !== undefined) opened.arguments = this.#open(operationId, 'arguments', args);
    if (outcome?.state === 'completed' && outcome.result !== undefined)
      opened.outcome = { ...outcome, result: this.#open(operationId, 'result', outcome.result) };
    return opened;
  }

  #open(operationId: string, part: Part, text: string): string {
    const keyId = sealedWith(text);
    if (keyId === undefined) {
      if (this.#acceptsPlainText) return text;
      throw corrupt(
        operationId,
        part,
        'not-encrypted',
        "are stored in plain text; to read such records: plainText: 'accept'",
      );
    }
    const key = this.#keys.get(keyId);
    if (key === undefined)
      throw corrupt(
        operationId,
        part,
        'key-missing',
        `were encrypted with the key ${JSON.stringify(keyId)}, which is not here`,
      );
    const opened = unseal(key, placeOf(operationId, part), text);
    if (opened !== undefined) return opened;
    throw corrupt(
      operationId,
      part,
      'tampered',
      `were changed, or the key ${JSON.stringify(keyId)} is another one by now`,
    );
  }
}

function placeOf(operationId: string, part: Part): string {
  return `${operationId} ${part}`;
}

function corrupt(operationId: string, part: Part, reason: string, what: string): McpTxError {
  const whose = part === 'result' ? 'The bytes of the result' : 'The arguments';
  return new McpTxError('LEDGER_CORRUPT', `${whose} of ${operationId} ${what}.`, { operationId, reason });
}

function invalid(what: string): McpTxError {
  return new McpTxError('CONFIG_INVALID', `encryptedLedger: ${what}`);
}
