// DESIGN 3.5: one timer renews all leases; none is believed to be longer than the store said, and whoever let go hears of no loss.
import type { Scheduler } from 'fast-check';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeldLease } from '../../src/engine/lease-keeper.ts';
import { LeaseKeeper } from '../../src/engine/lease-keeper.ts';
import type { VirtualClock } from '../../src/index.ts';
import { virtualClock } from '../../src/index.ts';
import type { Lease, Ledger } from '../../src/ledger.ts';
import { Branches, inParallel, races, turn, untilQuiet } from '../support/race.ts';

const LEASE_MS = 90;

const script = fc.record({
  owners: fc.array(fc.record({ drops: fc.boolean() }), { minLength: 1, maxLength: 4 }),
  /** What the store says to each renewal, for all leases of it: yes, taken over, or nothing. */
  replies: fc.array(fc.constantFrom('yes', 'yes', 'taken', 'away'), { maxLength: 5 }),
  ticks: fc.array(fc.constantFrom(10, LEASE_MS / 3, LEASE_MS), { minLength: 1, maxLength: 8 }),
  closes: fc.boolean(),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

type Branch =
  | 'renewed'
  | 'lost'
  | 'away'
  | 'dropped during a renewal'
  | 'closed during a renewal'
  | 'two renewals at once';

/** One lease, and what its owner has heard. */
interface Owner {
  readonly lease: Lease;
  held: HeldLease | undefined;
  /** The store's own view of when it ends, at the least. */
  grantedUntil: number;
  isOver: boolean;
  losses: number;
  lossesAfterEnd: number;
}

type Saw = (name: Branch, happened?: boolean) => void;

class Store {
  readonly #scheduler: Scheduler;
  readonly #clock: VirtualClock;
  readonly #replies: string[];
  readonly #saw: Saw;
  readonly owners: readonly Owner[];
  underWay = 0;

  constructor(drawn: Script, scheduler: Scheduler, clock: VirtualClock, saw: Saw) {
    this.#scheduler = scheduler;
    this.#clock = clock;
    this.#replies = [...drawn.replies];
    this.#saw = saw;
    this.owners = drawn.owners.map((_owner, n) => ({
      lease: { operationId: `op_${n}`, fence: 1, ownerToken: 'me', leaseMs: LEASE_MS },
      held: undefined,
      grantedUntil: 0,
      isOver: false,
      losses: 0,
      lossesAfterEnd: 0,
    }));
  }

  /** The request arrives in its turn, and so does the reply: the lease counts from the arrival. */
  async renewAll(leases: readonly Lease[]): Promise<readonly boolean[]> {
    const said = this.#replies.shift() ?? 'taken'; // so that a run ends
    this.underWay += 1;
    this.#saw('two renewals at once', this.underWay > 1);
    await turn(this.#scheduler, `a renewal arrives: ${said}`);
    const until = this.#clock.monotonic() + LEASE_MS;
    const mine = this.owners.filter((owner) => leases.includes(owner.lease));
    if (said === 'yes') for (const owner of mine) owner.grantedUntil = Math.max(owner.grantedUntil, until);
    await turn(this.#scheduler, 'its reply arrives');
    this.underWay -= 1;
    this.#saw(said === 'yes' ? 'renewed' : said === 'taken' ? 'lost' : 'away');
    if (said === 'away') throw new Error('away');
    return leases.map(() => said === 'yes');
  }
}

function begin(drawn: Script, scheduler: Scheduler, clock: VirtualClock, store: Store, saw: Saw): void {
  const keeper = new LeaseKeeper(store as unknown as Ledger, clock, LEASE_MS, true);
  const scripts = store.owners.map((owner, n) => {
    const hold = (): void => {
      if (owner.isOver) return; // closed before
      owner.grantedUntil = clock.monotonic() + LEASE_MS;
      owner.held = keeper.hold(owner.lease, clock.monotonic());
      const onLeaseLost = (): void => {
        owner.losses += 1;
        if (owner.isOver) owner.lossesAfterEnd += 1;
      };
      owner.held.owner = { onLeaseLost };
    };
    const drop = (): void => {
      saw('dropped during a renewal', owner.held !== undefined && store.underWay > 0);
      owner.isOver = true;
      if (owner.held !== undefined) keeper.drop(owner.held);
    };
    const holding = [`${n} holds`, hold] as const;
    return drawn.owners[n]?.drops === true ? [holding, [`${n} drops`, drop] as const] : [holding];
  });
  const close = (): void => {
    saw('closed during a renewal', store.underWay > 0);
    for (const owner of store.owners) owner.isOver = true;
    keeper.close();
  };
  const ticks = drawn.ticks.map((ms) => [`${ms} ms pass`, () => clock.advance(ms)] as const);
  inParallel(scheduler, [...scripts, ticks, drawn.closes ? [['close', close] as const] : []]);
}

/** An owner may act for no longer than the store has promised. */
function expectNoFalseTrust({ owners }: Store): void {
  for (const { held, grantedUntil } of owners) {
    if (held !== undefined) expect(held.validUntil).toBeLessThanOrEqual(grantedUntil);
  }
}

describe('the keeper of leases', () => {
  it('never trusts a lease for longer than the store, and tells a loss once', async () => {
    const branches = new Branches<Branch>(
      ...(['renewed', 'lost', 'away', 'dropped during a renewal', 'closed during a renewal'] as const),
      'two renewals at once',
    );
    const saw: Saw = (name, happened = true) => branches.saw(name, happened);
    await fc.assert(
      fc.asyncProperty(script, fc.scheduler(), async (drawn, scheduler) => {
        const clock = virtualClock();
        const store = new Store(drawn, scheduler, clock, saw);
        begin(drawn, scheduler, clock, store, saw);
        await untilQuiet(scheduler, clock, { calm: true, atRest: () => expectNoFalseTrust(store) });
        expectNoFalseTrust(store);
        for (const owner of store.owners) {
          expect(owner.lossesAfterEnd).toBe(0);
          expect(owner.losses).toBeLessThanOrEqual(1);
          expect(owner.losses === 1).toBe(owner.held?.lost === true);
        }
        expect(clock.pending).toBe(0);
      }),
      races(1_000),
    );
    branches.expectAll();
  });
});
