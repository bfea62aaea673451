// DESIGN 3.6: callers with one key have one driver and one answer, in whatever order they come and go and the world answers.
import type { Scheduler } from 'fast-check';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SendRequest } from '../../src/index.ts';
import { memoryLedger } from '../../src/index.ts';
import { Caller, callerScript } from '../support/callers.ts';
import type { HoldingClock, LedgerFault } from '../support/in-turn.ts';
import { evenRandom, holdingClock, LeaseWatch, ledgerInTurn, serverInTurn } from '../support/in-turn.ts';
import type { Instance } from '../support/instance.ts';
import { instance } from '../support/instance.ts';
import { Branches, inParallel, races, untilQuiet } from '../support/race.ts';
import { fateNames, fatesOf } from '../support/race-fates.ts';
import { ScriptedServer } from '../support/scripted-connection.ts';

const script = fc.record({
  callers: fc.array(callerScript, { minLength: 2, maxLength: 5 }),
  fates: fateNames,
  ticks: fc.array(fc.constantFrom(1, 5, 20, 60), { maxLength: 6 }),
  closesWithin: fc.constantFrom(undefined, undefined, undefined, undefined, 0, 30, 300),
  maxAttempts: fc.constantFrom(1, 3),
  idempotent: fc.boolean(),
  calm: fc.boolean(),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

interface Race extends Instance {
  readonly clock: HoldingClock;
  readonly callers: readonly Caller[];
  readonly claims: string[];
  /** Cancels of a send that somebody still waited for. */
  readonly wrongCancels: string[];
  /** Still to come from the ledger. */
  readonly faults: LedgerFault[];
  readonly leases: LeaseWatch;
  isClosed: boolean;
  leasesLost: number;
}

async function begin(drawn: Script, scheduler: Scheduler, lost: readonly LedgerFault[]): Promise<Race> {
  const clock = holdingClock();
  const ledger = memoryLedger({ clock });
  const server = new ScriptedServer();
  const callers = drawn.callers.map((one) => new Caller(one));
  const claims: string[] = [];
  const faults = [...lost];
  const wrongCancels: string[] = [];
  const onCancel = (reason: string): void => {
    if (reason === 'the caller aborted' && callers.some((one) => one.isWaiting(clock))) wrongCancels.push(reason);
  };
  const leases = new LeaseWatch(ledger, clock, drawn.idempotent);
  const watch = { onCancel, onSend: (request: SendRequest) => leases.look(request) };
  const options = {
    random: evenRandom('r'),
    server: serverInTurn(server.source, scheduler, clock.outside, watch),
    ledger: ledgerInTurn(ledger, scheduler, faults, ({ kind }) => void claims.push(kind)),
    tools: { pay: { idempotent: drawn.idempotent } },
    retry: { baseDelayMs: 10, maxDelayMs: 100, jitter: 'none' as const, maxAttempts: drawn.maxAttempts },
    settleGraceMs: 200,
  };
  const { tx } = await instance(fatesOf(drawn.fates), options, { server, clock, ledger });
  const seen = { claims, wrongCancels, leases, leasesLost: 0, isClosed: false };
  const race: Race = { tx, server, clock, ledger, callers, faults, ...seen };
  start(race, drawn, scheduler);
  return race;
}

/** Lets the callers, the time and `close()` take their turns. */
function start(race: Race, drawn: Script, scheduler: Scheduler): void {
  const { tx, server, clock, callers } = race;
  tx.on('lease.lost', () => {
    race.leasesLost += 1;
  });
  const close = (graceMs: number): void => {
    race.isClosed = true;
    void tx.close({ graceMs });
  };
  inParallel(scheduler, [
    ...callers.flatMap((one, n) => one.turns(`caller ${n}`, () => one.call(tx, server, clock))),
    drawn.ticks.map((ms) => [`${ms} ms pass`, () => clock.advance(ms)] as const),
    drawn.closesWithin === undefined ? [] : [['close', () => close(drawn.closesWithin ?? 0)] as const],
  ]);
}

/** Everybody was told one thing, in time, and it was the truth. */
function expectHonestAnswers({ callers, server, isClosed, leases, wrongCancels }: Race, drawn: Script): void {
  for (const one of callers) {
    expect(one.answers).toBe(1);
    expect(one.waitedMs).toBeLessThanOrEqual(one.script.timeoutMs);
    if (one.code === 'ABORTED') expect(one.hasAborted).toBe(true);
    if (one.code === 'CLOSED') expect(isClosed).toBe(true);
    if (one.code === 'DEADLINE_EXCEEDED') expect(one.waitedMs).toBe(one.script.timeoutMs);
    expect(one.code).not.toBe('INTERNAL');
    if (one.execution === 'none' && one.code !== 'CLOSED') expect(one.effects).toBe(0);
    if (one.execution === 'done') expect(server.effectCount).toBeGreaterThan(0);
  }
  expect(new Set(callers.flatMap((one) => one.text ?? [])).size).toBeLessThanOrEqual(1);
  if (!drawn.idempotent) expect(server.effectCount).toBeLessThanOrEqual(1);
  expect(leases.offences).toEqual([]);
  expect(wrongCancels).toEqual([]);
}

/** Nobody had to wait for another driver, and those who waited for the end of the same operation heard the same. */
function expectOneDriver({ callers, claims, isClosed, leasesLost }: Race): void {
  expect(claims).not.toContain('busy');
  expect(leasesLost).toBe(0); // those of ended operations are not renewed
  const patient = callers.filter((one) => !one.hasAborted && one.waitedMs < one.script.timeoutMs);
  const told = patient.filter((one) => one.execution !== 'none').map((one) => one.text ?? one.code);
  if (!isClosed) expect(new Set(told).size).toBeLessThanOrEqual(1);
}

/** Once everybody has been answered and nothing is under way, no timer keeps the process alive. */
async function expectNothingHeld({ tx, clock, callers }: Race): Promise<void> {
  const { operations } = await tx.health();
  if (operations === 0 && !callers.some((one) => one.isWaiting(clock))) expect(clock.holding).toBe(0);
}

/** Nothing is left of the race but the record. */
async function expectNothingLeft({ tx, clock, callers }: Race): Promise<void> {
  expect(await tx.health()).toMatchObject({ operations: 0, inFlight: 0, queued: 0 });
  expect(callers.map((one) => one.listeners)).toEqual(callers.map(() => 0));
  expect(clock.pending).toBe(0);
}

/** A caller who comes when all is over hears the same, or may drive what nobody has driven. */
async function expectSameAfterwards(race: Race, scheduler: Scheduler): Promise<void> {
  const { tx, server, clock, callers, ledger, faults } = race;
  faults.length = 0;
  const effects = server.effectCount;
  const told = callers.find((one) => one.text !== undefined)?.text;
  const [record] = (await ledger.list({})).records;
  const late = new Caller({ timeoutMs: 600, leaves: 'stays' });
  late.call(tx, server, clock);
  await untilQuiet(scheduler, clock, { calm: true });
  expect(late.answers).toBe(1);
  if (told !== undefined) expect(late.text).toBe(told);
  if (record?.outcome === undefined) return;
  expect(server.effectCount).toBe(effects);
  expect(late.waitedMs).toBe(0); // the ledger knows
}

/** What happened in a race, in no order. */
function happenings({ callers, claims, server }: Race): Readonly<Record<string, boolean>> {
  const [leader] = callers.toSorted((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
  const codes = callers.map((one) => one.code);
  const answered = callers.filter((one) => one.text !== undefined).length;
  return {
    'several were answered': answered > 1,
    'a follower was answered, the leader had left': leader?.text === undefined && answered > 0,
    'aborted under way': callers.some((one) => one.code === 'ABORTED' && !one.wasEarly),
    'aborted before the call': callers.some((one) => one.wasEarly),
    'cancelled for the last caller': server.sends.some((send) => send.cancelled === 'the caller aborted'),
    'a deadline passed': callers.some((one) => one.waitedMs === one.script.timeoutMs),
    'driven anew': claims.filter((kind) => kind === 'claimed').length > 1,
    'answered by the ledger': claims.includes('replay'),
    'sent again': server.sends.length > 1,
    closed: codes.includes('CLOSED'),
    'in doubt': codes.includes('IN_DOUBT'),
    'given back': codes.includes('CONNECTION_FAILED'),
    rejected: codes.includes('REJECTED'),
  };
}

describe('callers of one key', () => {
  it('[G:I11] have one driver and one answer, and leave nothing behind', async () => {
    const branches = new Branches();
    await fc.assert(
      fc.asyncProperty(script, fc.scheduler(), async (drawn, scheduler) => {
        const race = await begin(drawn, scheduler, []);
        await untilQuiet(scheduler, race.clock, {
          calm: drawn.calm,
          atRest: () => expectNothingHeld(race),
        });
        expectHonestAnswers(race, drawn);
        expectOneDriver(race);
        await expectNothingLeft(race);
        if (!race.isClosed) await expectSameAfterwards(race, scheduler);
        branches.sawThese(happenings(race));
      }),
      races(2_000),
    );
    branches.expectAll();
  });

  it('are told no lie by a ledger that loses requests and replies', async () => {
    const branches = new Branches();
    const faults = fc.array(fc.constantFrom<LedgerFault>('none', 'none', 'lost-request', 'lost-reply'), {
      minLength: 1,
      maxLength: 10,
    });
    await fc.assert(
      fc.asyncProperty(script, faults, fc.scheduler(), async (drawn, lost, scheduler) => {
        const race = await begin(drawn, scheduler, lost);
        await untilQuiet(scheduler, race.clock, { calm: drawn.calm });
        expectHonestAnswers(race, drawn);
        await expectNothingLeft(race);
        if (!race.isClosed) await expectSameAfterwards(race, scheduler);
        branches.sawThese(happenings(race));
      }),
      races(1_000),
    );
    branches.expectAll();
  });
});
