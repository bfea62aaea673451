// Faults that come at a time of their own: crashes, pauses, outages, resets, clocks that step, a store that forgets.
import type { FaultKind } from './swarm.ts';
import type { Instance, World } from './world.ts';

/** Puts all of them on the timeline; each then hits whatever is there. */
export function scheduleTroubles(world: World): void {
  const { dice, plan, loop } = world;
  const troubles: Partial<Record<FaultKind, () => void>> = {
    'process.crash': () => withOne(world, (instance) => crash(world, instance)),
    'process.pause': () => withOne(world, (instance) => pause(world, instance)),
    'connection.reset': () => withOne(world, (instance) => reset(world, instance)),
    'ledger.outage': () => outage(world),
    'ledger.amnesia': () => amnesia(world),
    'clock.step': () => withOne(world, (instance) => step(world, instance)),
    'clock.storeStep': () => stepStore(world),
  };
  for (const [kind, happen] of Object.entries(troubles)) {
    const times = plan.faults[kind as FaultKind];
    for (let i = 0; i < times; i += 1) loop.post(dice.int(1, plan.busyMs - 1), happen);
  }
  if (plan.hasOperator) for (let i = 0; i < 3; i += 1) loop.post(dice.int(1, plan.busyMs), () => operate(world));
  if (dice.chance(0.2))
    loop.post(dice.int(1, plan.busyMs), () => withOne(world, (instance) => replace(world, instance)));
}

function withOne(world: World, happen: (instance: Instance) => void): void {
  const { alive } = world;
  if (alive.length > 0) happen(world.dice.pick(alive));
}

function crash(world: World, instance: Instance): void {
  world.recorder.fault('process.crash', instance.process.name);
  world.crash(instance);
  world.loop.post(world.dice.int(1, 600), () => world.bear());
}

/** Goes in good order, in the middle of work, and another one comes. */
function replace(world: World, instance: Instance): void {
  world.bear();
  instance.process.post(0, () => void world.close(instance));
}

function pause(world: World, { process }: Instance): void {
  const { dice, plan, loop } = world;
  const until = loop.now + dice.int(20, Math.ceil(plan.leaseMs * 1.5));
  process.pausedUntil = Math.max(process.pausedUntil, until);
  world.recorder.fault('process.pause', process.name);
  world.see({ what: 'pause', process: process.name, until: process.pausedUntil });
}

function reset(world: World, { process, connection }: Instance): void {
  world.recorder.fault('connection.reset', process.name);
  connection.reset();
}

function outage(world: World): void {
  const { dice, plan, loop, store } = world;
  store.outageUntil = Math.min(plan.busyMs, loop.now + dice.pick([50, 400, 3_000]));
  world.recorder.fault('ledger.outage', `until ${store.outageUntil}`);
}

function amnesia(world: World): void {
  const count = world.dice.int(1, 6);
  world.recorder.fault('ledger.amnesia', `the last ${count} writes`);
  void world.store.forget(count);
}

function step(world: World, { process }: Instance): void {
  process.skewMs += world.dice.int(-3_000, 3_000);
  world.recorder.fault('clock.step', `${process.name} is off by ${process.skewMs} ms`);
}

function stepStore(world: World): void {
  world.store.skewMs += world.dice.int(-1_500, 1_500);
  world.recorder.fault('clock.storeStep', `off by ${world.store.skewMs} ms`);
}

/** Somebody looks through what is in doubt and says what is true, where anybody can know it. */
function operate(world: World): void {
  withOne(world, ({ tx }) => {
    void world.store.inside.list({ states: ['in_doubt'] }).then(({ records }) => {
      for (const { operationId } of records) {
        const op = world.opOf(operationId);
        const text = op === undefined ? undefined : world.serverStore.lookFor(op);
        if (text === undefined && world.mayStillArrive(operationId)) continue;
        const verdict =
          text === undefined
            ? ({ outcome: 'not_executed' } as const)
            : ({ outcome: 'completed', result: { content: [{ type: 'text', text }] } } as const);
        tx.resolve(operationId, { ...verdict, by: 'operator', reason: 'looked' }).catch(() => undefined);
      }
    });
  });
}
