/** Public face `@mcp-tx/testing/ledger-contract`: what every ledger must do, as cases that run under any test runner. */
import { claimCases } from './ledger-contract/claim-cases.ts';
import type { LedgerCase } from './ledger-contract/fixture.ts';
import { lifecycleCases } from './ledger-contract/lifecycle-cases.ts';
import { quarantineCases } from './ledger-contract/quarantine-cases.ts';
import { readerCases } from './ledger-contract/reader-cases.ts';
import { recordCases } from './ledger-contract/record-cases.ts';
import { resolveCases } from './ledger-contract/resolve-cases.ts';
import { retentionCases } from './ledger-contract/retention-cases.ts';
import { sendCases } from './ledger-contract/send-cases.ts';
import { settleCases } from './ledger-contract/settle-cases.ts';
import { sharedCases } from './ledger-contract/shared-cases.ts';
import { sweepCases } from './ledger-contract/sweep-cases.ts';
import { takeoverCases } from './ledger-contract/takeover-cases.ts';
import { walkCases } from './ledger-contract/walk-cases.ts';

export type {
  LedgerCase,
  LedgerFixture,
  LedgerNeed,
  LedgerWorker,
  RawRecord,
  ReadableLedger,
} from './ledger-contract/fixture.ts';
export { claimRequestOf } from './ledger-contract/requests.ts';

/** Every case of the contract. Give each a fixture of its own. */
export const ledgerCases: readonly LedgerCase[] = [
  ...claimCases,
  ...sendCases,
  ...takeoverCases,
  ...settleCases,
  ...resolveCases,
  ...sweepCases,
  ...quarantineCases,
  ...retentionCases,
  ...recordCases,
  ...readerCases,
  ...lifecycleCases,
  ...sharedCases,
  ...walkCases,
];
