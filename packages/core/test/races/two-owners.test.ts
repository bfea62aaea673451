// DESIGN 3.2: two processes share a ledger and drive one key; leases run out while replies are under way, and the fence decides.
import type { Scheduler } from 'fast-check';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { McpTx, SendRequest } from '../../src/index.ts';
import { memoryLedger } from '../../src/index.ts';
import type { Claim, Ledger, LedgerReader } from '../../src/ledger.ts';
import type { CallerScript } from '../support/callers.ts';
import { Caller } from '../support/callers.ts';
import type { HoldingClock, LedgerFault } from '../support/in-turn.ts';
import { evenRandom, holdingClock, LeaseWatch, ledgerInTurn, serverInTurn } from '../support/in-turn.ts';
import { instance } from '../support/instance.ts';
import { Branches, inParallel, races, untilQuiet } from '../support/race.ts';
import { fateNames, fatesOf } from '../support/race-fates.ts';
import { ScriptedServer } from '../support/scripted-connection.ts';

const LEASE_MS = 100;

/** Most of them outlast a lease, so that they see a take-over. */
const patient: fc.Arbitrary<CallerScript> = fc.record({
  timeoutMs: fc.constantFrom(150, 600, 600),
  leaves: fc.constantFrom('stays', 'stays', 'stays', 'aborts'),
});

const side = fc.record({
  callers: fc.array(patient, { minLength: 1, maxLength: 2 }),
  /** `false`: as if the process stood still, its leases just run out. */
  renewLeases: fc.boolean(),
  faults: fc.array(fc.constantFrom<LedgerFault>('none', 'none', 'none', 'lost-request', 'lost-reply'), {
    maxLength: 6,
  }),
});

const script = fc.record({
  sides: fc.tuple(side, side),
  fates: fateNames,
  ticks: fc.array(fc.constantFrom(5, 30, 110, 110), { minLength: 2, maxLength: 8 }),
  sweeps: fc.boolean(),
  idempotent: fc.boolean(),
  calm: fc.boolean(),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

type Branch = 'busy' | 'took over' | 'lease lost' | 'owner lost' | 'replay' | 'contradicted' | 'both sent' | 'swept';

interface Race {
  readonly drawn: Script;
  readonly scheduler: Scheduler;
  readonly branches: Branches<Branch>;
  readonly server: ScriptedServer;
  readonly clock: HoldingClock;
  readonly ledger: Ledger & LedgerReader;
  readonly leases: LeaseWatch;
  readonly callers: Caller[];
}

async function begin(drawn: Script, scheduler: Scheduler, branches: Branches<Branch>): Promise<Race> {
  const clock = holdingClock();
  const ledger = memoryLedger({ clock });
  const server = new ScriptedServer();
  server.fates.push(...fatesOf(drawn.fates));
  const leases = new LeaseWatch(ledger, clock, drawn.idempotent);
  const race: Race = { drawn, scheduler, branches, server, clock, ledger, leases, callers: [] };
  const owner = await addOwner(race, 0);
  await addOwner(race, 1);
  const sweep = async (): Promise<void> => branches.saw('swept', (await owner.sweep()).inDoubt > 0);
  const afterTick = (): void => {
    if (drawn.sweeps) void sweep().catch(() => undefined);
  };
  const pass = drawn.ticks.map((ms) => [`${ms} ms pass`, () => clock.advance(ms).then(afterTick)] as const);
  inParallel(scheduler, [pass]);
  return race;
}

/** A process with its callers. */
async function addOwner(race: Race, n: 0 | 1): Promise<McpTx> {
  const { drawn, scheduler, branches, server, clock, ledger, leases } = race;
  const { callers, faults, renewLeases } = drawn.sides[n];
  const onClaim = (claim: Claim): void => {
    const tookOver = claim.kind === 'claimed' && claim.takenOver !== undefined;
    branches.sawThese({ busy: claim.kind === 'busy', replay: claim.kind === 'replay', 'took over': tookOver });
  };
  const watch = { onSend: (request: SendRequest) => leases.look(request), onCancel: () => undefined };
  const options = {
    random: evenRandom(`owner${n}`),
    server: serverInTurn(server.source, scheduler, clock.outside, watch),
    ledger: ledgerInTurn(ledger, scheduler, [...faults], onClaim),
    leaseMs: LEASE_MS,
    renewLeases,
    tools: { pay: { idempotent: drawn.idempotent } },
    settleGraceMs: 200,
  };
  const { tx } = await instance([], options, { server, clock, ledger });
  tx.on('lease.lost', () => branches.saw('lease lost'));
  tx.on('operation.contradicted', () => branches.saw('contradicted'));
  const mine = callers.map((one) => new Caller(one));
  race.callers.push(...mine);
  const name = (i: number): string => `caller ${i} of owner ${n}`;
  inParallel(
    scheduler,
    mine.flatMap((one, i) => one.turns(name(i), () => one.call(tx, server, clock))),
  );
  return tx;
}

/** What is recorded in the end is what the server did, and what must not be sent again is not left open. */
async function expectTruthfulRecord({ drawn, branches, server, clock, ledger }: Race): Promise<void> {
  await clock.advance(LEASE_MS + 1);
  await ledger.sweep(10);
  for (const { state, outcome } of (await ledger.list({})).records) {
    branches.saw('owner lost', outcome?.state === 'in_doubt' && outcome.reason === 'owner-lost');
    if (state === 'completed') expect(server.effectCount).toBeGreaterThan(0);
    if (drawn.idempotent) continue;
    expect(state).not.toBe('sent');
    if (state === 'failed' || state === 'claimed') expect(server.effectCount).toBe(0);
  }
}

/** Everybody was told one thing, in time, and all who were told a result that is recorded were told the same. */
function expectAgreement({ drawn, callers, server, leases }: Race): void {
  expect(callers.map((one) => one.answers)).toEqual(callers.map(() => 1));
  expect(callers.filter((one) => one.waitedMs > one.script.timeoutMs)).toEqual([]);
  expect(new Set(callers.flatMap((one) => one.recordedText ?? [])).size).toBeLessThanOrEqual(1);
  if (!drawn.idempotent) expect(server.effectCount).toBeLessThanOrEqual(1);
  expect(leases.offences).toEqual([]);
  const misled = callers.filter((one) => one.execution === 'none' && one.effects > 0);
  expect(misled).toEqual([]);
}

describe('two owners of one key', () => {
  it('[G:I1] run it at most once, and agree on what came of it', async () => {
    const branches = new Branches<Branch>(
      ...(['busy', 'took over', 'lease lost', 'owner lost'] as const),
      ...(['replay', 'contradicted', 'both sent', 'swept'] as const),
    );
    await fc.assert(
      fc.asyncProperty(script, fc.scheduler(), async (drawn, scheduler) => {
        const race = await begin(drawn, scheduler, branches);
        await untilQuiet(scheduler, race.clock, { calm: drawn.calm });
        expectAgreement(race);
        await expectTruthfulRecord(race);
        const senders = new Set(race.server.sends.map((send) => send.identity.requestId));
        branches.saw('both sent', senders.size > 1);
      }),
      races(1_000),
    );
    branches.expectAll();
  });
});
