// Mutants of the store: fences, states, compare-and-set, retention, quarantine.
import type { Mutant } from './mutant.ts';
import { FOLDERS } from './mutant.ts';

const MEMORY_LEDGER = `${FOLDERS.LEDGER}/memory-ledger.ts`;
const MEMORY_CLAIM = `${FOLDERS.LEDGER}/memory-claim.ts`;
const MEMORY_RECORD = `${FOLDERS.LEDGER}/memory-record.ts`;

export const LEDGER_MUTANTS: readonly Mutant[] = [
  {
    id: 'no-fence',
    breaks: 'a write needs the newest fence and its owner’s token',
    edits: [
      {
        file: MEMORY_LEDGER,
        find: 'return record.fence === lease.fence && record.ownerToken === lease.ownerToken ? record : undefined;',
        replace: 'return record;',
      },
      {
        file: MEMORY_LEDGER,
        find: 'if (record.ownerToken !== lease.ownerToken || !mayFollow(record.state, outcome.state)) return false;',
        replace: 'if (!mayFollow(record.state, outcome.state)) return false;',
      },
      {
        file: MEMORY_LEDGER,
        find: 'if (record === undefined || record.fence !== lease.fence) return false;',
        replace: 'if (record === undefined) return false;',
      },
    ],
  },
  {
    id: 'no-sent-state',
    breaks: 'a record says that bytes may have left',
    edits: [
      { file: MEMORY_RECORD, find: "this.state = 'sent';", replace: "this.state = 'claimed';" },
      {
        file: `${FOLDERS.LEDGER}/record.ts`,
        find: "claimed: ['claimed', 'sent', 'failed'],",
        replace: "claimed: ['claimed', 'sent', 'failed', 'completed', 'in_doubt'],",
      },
    ],
  },
  {
    id: 'mark-sent-without-compare',
    breaks: 'a send is marked only by who holds the lease',
    edits: [
      {
        file: MEMORY_LEDGER,
        find: 'if (record === undefined) return false;\n    const now = this.#now();\n    // The number',
        replace: 'if (record === undefined) return true;\n    const now = this.#now();\n    // The number',
      },
    ],
  },
  {
    id: 'check-then-set',
    breaks: 'a claim is one atomic step',
    edits: [
      {
        file: MEMORY_LEDGER,
        find: `claim(request: ClaimRequest): Claim {
    return claimIn(this.#store, request, this.#now());`,
        replace: `async claim(request: ClaimRequest): Promise<Claim> {
    const open = this.#openStore as MemoryStore;
    const isFree = open.peek(request.operationId) === undefined;
    for (let i = 0; i < 6; i += 1) await new Promise((resolve) => setImmediate(resolve));
    const seen = isFree ? (Object.create(open, { lookUp: { value: () => undefined } }) as MemoryStore) : open;
    const create = (...args: Parameters<MemoryStore['create']>): MemoryRecord => open.create(...args);
    if (isFree) Object.defineProperties(seen, { create: { value: create }, quarantine: { value: open.quarantine } });
    return claimIn(seen, request, this.#now());`,
      },
    ],
  },
  {
    id: 'fingerprint-off',
    breaks: 'one key, one set of arguments',
    edits: [
      {
        file: MEMORY_CLAIM,
        find: 'record.fingerprint !== undefined && request.fingerprint !== undefined && record.fingerprint !== request.fingerprint',
        replace: 'false',
      },
      {
        file: `${FOLDERS.ENGINE}/execute-call.ts`,
        find: 'return one.fingerprint !== undefined && plan.fingerprint !== undefined && one.fingerprint !== plan.fingerprint;',
        replace: 'return false;',
      },
    ],
  },
  {
    id: 'delete-on-error',
    breaks: 'what is in doubt stays on record',
    edits: [
      {
        file: MEMORY_LEDGER,
        find: 'this.#store.end(record, outcome, this.#now());\n    return true;',
        replace: `if (outcome.state === 'in_doubt') {
      record.state = 'claimed';
      record.ownerToken = '';
      this.#store.release(record, this.#now());
    } else this.#store.end(record, outcome, this.#now());
    return true;`,
      },
    ],
  },
  {
    id: 'attempts-reset-on-take-over',
    breaks: 'attempts are counted over all processes',
    edits: [
      {
        file: MEMORY_CLAIM,
        find: 'record.tookOver = true;',
        replace: 'record.tookOver = true;\n  record.attempts = 0;',
      },
    ],
  },
  {
    id: 'in-doubt-is-run-again',
    breaks: 'doubt ends by a resolution only',
    edits: [
      {
        file: MEMORY_CLAIM,
        find: "if (found.state === 'in_doubt') return { kind: 'in_doubt', record: store.view(found) };",
        replace: `if (found.state === 'in_doubt') {
    found.state = 'claimed';
    return claimReleased(store, found, request, now);
  }`,
      },
    ],
  },
  {
    id: 'live-lease-ignored',
    breaks: 'nobody takes over while the lease lasts',
    edits: [
      { file: MEMORY_CLAIM, find: 'if (found.leaseUntil > now) {', replace: 'if (found.leaseUntil > now + 1e12) {' },
    ],
  },
  {
    id: 'doubt-ends-by-age',
    breaks: 'what may have run is never purged by age',
    edits: [
      {
        file: MEMORY_RECORD,
        find: "(this.state === 'completed' || this.state === 'failed') && this.endedAt + this.retentionMs <= now",
        replace: "this.state !== 'claimed' && Math.max(this.sentAt, this.endedAt) + this.retentionMs <= now",
      },
    ],
  },
  {
    id: 'sweep-frees-what-was-sent',
    breaks: 'a lost owner’s send leaves doubt',
    edits: [
      {
        file: MEMORY_LEDGER,
        find: "this.#store.end(record, { state: 'in_doubt', reason: 'owner-lost' }, now);\n      return { action: 'in_doubt',",
        replace:
          "record.state = 'claimed';\n      this.#store.release(record, now);\n      return { action: 'released',",
      },
    ],
  },
  {
    id: 'doubt-ends-by-a-late-owner',
    breaks: 'a settled record is left by a resolution only',
    edits: [
      {
        file: MEMORY_LEDGER,
        find: 'if (!record.isOpen) return record.hasOutcome(outcome);\n    if (record.ownerToken !== lease.ownerToken || !mayFollow(record.state, outcome.state)) return false;',
        replace: `if (!record.isOpen && record.state !== 'in_doubt') return record.hasOutcome(outcome);
    if (record.isOpen && record.ownerToken !== lease.ownerToken) return false;`,
      },
    ],
  },
  {
    id: 'quarantine-off',
    breaks: 'an equal call is held back while another is in doubt',
    edits: [
      {
        file: MEMORY_CLAIM,
        find: 'const earlier = store.quarantine.find(request, now);',
        replace: 'const earlier = undefined as { readonly operationId: string } | undefined;',
      },
    ],
  },
];
