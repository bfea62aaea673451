/** SHA-256 (FIPS 180-4) of a text, in the two forms the engine needs. */
import { hash } from 'node:crypto';

/** The digest of the UTF-8 form of `text`, 32 bytes. */
export function sha256(text: string): Uint8Array {
  return hash('sha256', text, 'buffer');
}

/** The same digest as 43 characters of base64url. */
export function sha256Text(text: string): string {
  return hash('sha256', text, 'base64url');
}
