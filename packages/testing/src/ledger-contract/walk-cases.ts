/** A long random history of owners that come, crash, sleep and repeat themselves, checked against the store step by step. */
import { deepEqual, equal, fail, ok } from 'node:assert/strict';
import type { ClaimRequest, Lease, OperationState, Outcome } from '@mcp-tx/core/ledger';
import { isTerminal, mayFollow } from '@mcp-tx/core/ledger';
import type { LedgerCase, RawRecord } from './fixture.ts';
import type { Bench } from './requests.ts';
import { benchOf, claimRequestOf, DONE, DOUBT, OTHER, REFUSED, SHORT_MS } from './requests.ts';

const STEPS = 1_500;
const OUTCOMES: readonly Outcome[] = [DONE, OTHER, REFUSED, DOUBT];

/** mulberry32 (T. Ettinger, public domain): the same history for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** One operation, and every lease that was ever given for it. */
interface Subject {
  readonly request: ClaimRequest;
  readonly leases: Lease[];
}

export const walkCases: readonly LedgerCase[] = [
  {
    id: 'ledger:walk',
    title:
      'over a long random history no step is taken that may not follow, by nobody but the last owner [G:I4] [G:I6]',
    needs: ['clock'],
    async run(fixture) {
      const random = randomOf(20260728);
      const bench = await benchOf(fixture);
      const seen = new Map<string, number>();
      let subjects: Subject[] = [];
      for (let step = 0; step < STEPS; step += 1) {
        if (step % 60 === 0) subjects = [0, 1, 2].map((n) => subjectOf(`subject ${step} ${n}`, random));
        const subject = subjects[random(subjects.length)] ?? fail();
        const before = await fixture.rawRecord(subject.request.operationId);
        const did = await act(bench, subject, random);
        const after = await fixture.rawRecord(subject.request.operationId);
        check(`step ${step}: ${did.what}`, before, after, did);
        seen.set(did.what, (seen.get(did.what) ?? 0) + 1);
      }
      for (const what of [
        'takeover',
        'settle true',
        'settle false',
        'markSent true',
        'markSent false',
        'release true',
        'sweep',
      ]) {
        ok((seen.get(what) ?? 0) >= 10, `the history had too little of ${what}: ${JSON.stringify([...seen])}`);
      }
    },
  },
];

function subjectOf(name: string, random: (below: number) => number): Subject {
  const mode = (['at-most-once', 'at-least-once', 'effectively-once'] as const)[random(3)] ?? fail();
  return { request: claimRequestOf(name, { mode, leaseMs: SHORT_MS }), leases: [] };
}

/** What was done, and what the ledger said of it. `lease` is the one it was done with. */
interface Deed {
  readonly what: string;
  readonly lease?: Lease;
  readonly refused: boolean;
}

async function act({ ledger, advance }: Bench, subject: Subject, random: (below: number) => number): Promise<Deed> {
  const dice = random(24);
  if (dice < 6) return claim(ledger, subject, random);
  if (dice < 9) {
    await advance(SHORT_MS / 2);
    return { what: 'wait', refused: false };
  }
  if (dice === 9) {
    await ledger.sweep(1);
    return { what: 'sweep', refused: false };
  }
  const lease = subject.leases.at(-1 - (random(3) === 0 ? random(subject.leases.length) : 0)); // mostly the latest
  if (lease === undefined) return { what: 'nothing', refused: false };
  const outcome = OUTCOMES[random(OUTCOMES.length)] ?? fail();
  if (dice < 15) return told('markSent', lease, await ledger.markSent(lease, 1 + random(4)));
  if (dice < 18)
    return told('release', lease, await ledger.release(lease, { attempts: random(2), hold: random(2) === 0 }));
  if (dice < 20) return told('renew', lease, (await ledger.renewAll([lease]))[0] ?? fail());
  if (dice < 22) return told('settle', lease, await ledger.settle(lease, outcome));
  if (outcome.state === 'in_doubt') return { what: 'nothing', refused: false };
  const { kind } = await ledger.resolve(lease.operationId, {
    outcome,
    by: random(2) === 0 ? 'mia' : 'late-answer',
    reason: 'walk',
  });
  return { what: `resolve ${kind}`, refused: kind !== 'resolved' };
}

async function claim(ledger: Bench['ledger'], subject: Subject, random: (below: number) => number): Promise<Deed> {
  const { ownerToken } = claimRequestOf('a new owner');
  const claim = await ledger.claim({ ...subject.request, ownerToken, state: random(2) === 0 ? 'claimed' : 'sent' });
  if (claim.kind !== 'claimed') return { what: `claim ${claim.kind}`, refused: true };
  const former = subject.leases.at(-1);
  ok(former === undefined || claim.lease.fence > former.fence, 'a new owner gets a higher fence');
  subject.leases.push(claim.lease);
  return { what: claim.takenOver === undefined ? 'claim' : 'takeover', refused: false };
}

function told(what: string, lease: Lease, answer: boolean): Deed {
  return { what: `${what} ${answer}`, lease, refused: !answer };
}

function check(step: string, before: RawRecord | undefined, after: RawRecord | undefined, did: Deed): void {
  if (before === undefined) {
    ok(after === undefined || did.what === 'claim', step);
    return;
  }
  if (after === undefined) fail(`${step}: the record is gone`);
  if (did.refused) deepEqual(after, before, `${step}: what was refused changed something`);
  if (did.lease !== undefined && did.lease.fence !== before.fence) ok(did.refused, `${step}: a stale owner was heard`);
  ok(after.fence >= before.fence, `${step}: the fence went back`);
  ok(after.attempts <= 3 * after.fence, `${step}: more sends than any claim allowed`);
  if (before.state === after.state) return;
  ok(
    mayFollow(before.state as OperationState, after.state as OperationState),
    `${step}: ${before.state} to ${after.state}`,
  );
  if (isTerminal(before.state as OperationState)) equal(did.what, 'resolve resolved', `${step}: left ${before.state}`);
}
