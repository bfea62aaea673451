/** A ledger some of whose methods a test writes itself; the others are the real ones. */
import type { Ledger, LedgerReader } from '../../src/ledger.ts';

export function overrideLedger(ledger: Ledger & LedgerReader, methods: Partial<Ledger>): Ledger & LedgerReader {
  return new Proxy(ledger, {
    get(target, name) {
      const own = Reflect.get(methods, name) as unknown;
      if (own !== undefined) return own;
      const member = Reflect.get(target, name) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
