/** Public face `@mcp-tx/core/ledger`: what a storage package implements. Every name here is public API. */
export type { Claim, ClaimRequest, Lease, Ledger, Released, ResolveResult, Swept } from './ledger/ledger.ts';
export type { LedgerReader, ListQuery, Page, Stats } from './ledger/ledger-reader.ts';
export { isLedgerReader } from './ledger/ledger-reader.ts';
export type { MemoryLedgerOptions } from './ledger/memory-ledger.ts';
export { memoryLedger } from './ledger/memory-ledger.ts';
export type { AuditLine, OperationRecord, OperationState, Resolution } from './ledger/record.ts';
export { isTerminal, mayFollow } from './ledger/record.ts';
export type { DeliveryMode } from './outcome/call-result.ts';
export type { Durability } from './outcome/durability.ts';
export { isAtLeast } from './outcome/durability.ts';
export type { InDoubtReason, Outcome, StoredError, TerminalState } from './outcome/outcome.ts';
export { executionOf } from './outcome/outcome.ts';
export type { TxErrorCode, TxErrorDetails } from './outcome/tx-error.ts';
export { isMcpTxError, McpTxError } from './outcome/tx-error.ts';
export { base32, fromBase32 } from './runtime/base32.ts';
export type { Clock, Timer } from './runtime/clock.ts';
export { systemClock } from './runtime/clock.ts';
