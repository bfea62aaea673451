/** Names how much a ledger survives, and orders those classes. */

/** `process`: nothing; `async`: a crash of the process, not of the machine; `fsync`: a crash of the machine. */
export type Durability = 'process' | 'async' | 'fsync';

const ORDER: readonly Durability[] = ['process', 'async', 'fsync'];

/** Whether `actual` survives at least what `required` names. */
export function isAtLeast(actual: Durability, required: Durability): boolean {
  return ORDER.indexOf(actual) >= ORDER.indexOf(required);
}
