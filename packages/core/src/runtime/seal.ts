/** Seals texts with AES-256-GCM (NIST SP 800-38D), and opens them. The same text in the same place is sealed the same way. */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

/** A key, ready for use. */
export interface SealKey {
  readonly id: string;
  readonly cipher: Uint8Array;
  readonly nonce: Uint8Array;
}

/** Bytes of a key. */
export const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const MARK = 'mcp-tx-sealed-1';

/** Two keys out of one: no key is used for two purposes. */
export function sealKey(id: string, key: Uint8Array): SealKey {
  const derived = (purpose: string): Uint8Array => createHmac('sha256', key).update(`${MARK} ${purpose}`).digest();
  return { id, cipher: derived('cipher'), nonce: derived('nonce') };
}

/**
 * `place` is bound to the text: it opens nowhere else. The nonce is a keyed hash of both (as in AES-GCM-SIV, RFC 8452), so that a
 * write that is repeated says the same, and no two texts share a nonce but by a chance of 2^-96.
 */
export function seal(by: SealKey, place: string, text: string): string {
  const { id, cipher: key, nonce: nonceKey } = by;
  const bound = boundTo(id, place);
  const nonce = createHmac('sha256', nonceKey).update(bound).update(text).digest().subarray(0, NONCE_LENGTH);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH }).setAAD(bound);
  const sealed = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  return `${MARK}.${id}.${sealed.toString('base64url')}`;
}

/** Id of the key that a text was sealed with; `undefined` when it is not sealed. */
export function sealedWith(text: string): string | undefined {
  return text.startsWith(`${MARK}.`) ? text.split('.', 2)[1] : undefined;
}

/** `undefined`: it was changed, or sealed for another place, or with another key of that id. */
export function unseal(by: SealKey, place: string, sealed: string): string | undefined {
  const { id, cipher: key } = by;
  const bytes = Buffer.from(sealed.slice(MARK.length + id.length + 2), 'base64url');
  if (bytes.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
  const end = bytes.length - TAG_LENGTH;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_LENGTH), { authTagLength: TAG_LENGTH });
  decipher.setAAD(boundTo(id, place)).setAuthTag(bytes.subarray(end));
  try {
    return decipher.update(bytes.subarray(NONCE_LENGTH, end), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}

function boundTo(id: string, place: string): Buffer {
  return Buffer.from(`${MARK}\n${id}\n${place}\n`);
}
