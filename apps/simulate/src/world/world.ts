// Puts a history's parts together: one loop, one generator, servers, a store, and the processes that come and go.
import type { McpTx, ProbeVerdict } from '@mcp-tx/core';
import { createMcpTx, serverSource } from '@mcp-tx/core';
import { Dice } from './dice.ts';
import { EventLoop } from './event-loop.ts';
import type { Seen } from './history.ts';
import { Recorder } from './history.ts';
import { ServerStore } from './server-store.ts';
import { SimConnection } from './sim-connection.ts';
import { SimProcess } from './sim-process.ts';
import { SimStore } from './sim-store.ts';
import type { FaultKind, Plan } from './swarm.ts';
import { drawPlan } from './swarm.ts';
import { ToolServer } from './tool-server.ts';

/** A process with its instance of MCP-Tx. */
export interface Instance {
  readonly process: SimProcess;
  readonly tx: McpTx;
  readonly connection: SimConnection;
  isClosing: boolean;
  isClosed: boolean;
}

/** Everything that a history is played with. */
export class World {
  readonly dice: Dice;
  readonly plan: Plan;
  readonly loop: EventLoop = new EventLoop();
  readonly recorder: Recorder;
  readonly serverStore: ServerStore;
  readonly store: SimStore;
  readonly instances: Instance[] = [];
  readonly #sharedServer: ToolServer;
  readonly #operations = new Map<string, string>();
  #messages = 0;
  #births = 0;
  isHealed = false;

  /** `fixed` is what shall not be drawn. */
  constructor(seed: number, fixed: Partial<Plan> = {}) {
    this.dice = new Dice(seed);
    this.plan = { ...drawPlan(seed, this.dice), ...fixed };
    this.recorder = new Recorder(() => this.loop.now);
    this.serverStore = new ServerStore(this.plan.server);
    this.store = new SimStore(this);
    this.#sharedServer = new ToolServer(this, this.serverStore);
  }

  see(event: Parameters<Recorder['see']>[0]): void {
    this.recorder.see(event);
  }

  /** Whether a fault happens on this occasion; if so, it is counted. */
  strikes(kind: FaultKind, says: string): boolean {
    const strength = this.plan.faults[kind];
    if (this.isHealed || strength === 0 || !this.dice.chance(strength)) return false;
    this.recorder.fault(kind, says);
    return true;
  }

  nextMessage(): number {
    this.#messages += 1;
    return this.#messages;
  }

  /** Whether a message of this operation may still be on its way, or its tool at work. */
  mayStillArrive(operationId: string): boolean {
    const lifeMs = Math.max(this.plan.messageLifeMs, 3) + this.plan.executionMs;
    return this.events.some(
      (event) => event.what === 'send' && event.operationId === operationId && event.at + lifeMs >= this.loop.now,
    );
  }

  /** Which operation an id on the wire belongs to, as the outside names it. */
  knowOperation(operationId: string, op: string): void {
    this.#operations.set(operationId, op);
  }

  opOf(operationId: string): string | undefined {
    return this.#operations.get(operationId);
  }

  /** Processes that take calls. */
  get alive(): readonly Instance[] {
    return this.instances.filter(({ process, isClosing }) => !process.isGone && !isClosing);
  }

  connectionsTo(server: ToolServer): readonly SimConnection[] {
    return this.instances.map(({ connection }) => connection).filter((connection) => connection.server === server);
  }

  /** All servers that processes talk to. */
  get servers(): readonly ToolServer[] {
    return [...new Set(this.instances.map(({ connection }) => connection.server))];
  }

  /** A new process with an instance of its own. */
  bear(): Instance {
    this.#births += 1;
    const luck = new Dice(this.plan.seed * 31 + this.#births); // of its own: the engine’s draws do not shift the world’s
    const process = new SimProcess(`p${this.#births}`, this.loop, luck);
    const server = this.plan.wire === 'http' ? this.#sharedServer : new ToolServer(this, this.serverStore);
    if (this.strikes('clock.skew', `of ${process.name}`)) process.skewMs = this.dice.int(-3_000, 3_000);
    let connection: SimConnection | undefined;
    const source = serverSource((context) => {
      connection = new SimConnection(this, process, server, context);
      return connection;
    });
    const tx = createMcpTx(optionsOf(this, process, source));
    const instance: Instance = {
      process,
      tx,
      connection: connection as unknown as SimConnection,
      isClosing: false,
      isClosed: false,
    };
    this.instances.push(instance);
    return instance;
  }

  /** Ends a process in good order. */
  async close(instance: Instance): Promise<void> {
    instance.isClosing = true;
    await instance.tx.close({ graceMs: 100 });
    instance.isClosed = true;
    this.see({ what: 'gone', process: instance.process.name, how: 'closed' });
  }

  /** Ends a process as it is. Nothing it was about to do happens. */
  crash(instance: Instance): void {
    const { process, connection } = instance;
    process.isGone = true;
    this.see({ what: 'gone', process: process.name, how: 'crashed' });
    if (this.plan.wire === 'stdio' && this.dice.chance(0.5)) connection.server.crash();
  }

  /** A look at the world: did this operation happen? The look is true when it is taken, and told a moment later. */
  look(process: SimProcess, operationId: string): Promise<ProbeVerdict> {
    const { dice } = this;
    return new Promise((resolve, reject) => {
      this.loop.post(dice.int(0, 20), () => {
        const op = this.opOf(operationId);
        const text = op === undefined ? undefined : this.serverStore.lookFor(op);
        const isBlind = dice.chance(0.2);
        process.post(dice.int(0, 60), () => {
          if (isBlind) reject(new Error('the probe failed'));
          else if (text === undefined) resolve({ verdict: 'absent' });
          else resolve({ verdict: 'completed', result: { content: [{ type: 'text', text }] } });
        });
      });
    });
  }

  /** Plays until `until`, or until nothing is left to happen before that. */
  async play(until: number): Promise<void> {
    while (await this.loop.step(until)) if (this.loop.steps > MAX_STEPS) throw new Error('the history does not end');
  }

  get events(): readonly Seen[] {
    return this.recorder.events;
  }
}

const MAX_STEPS = 1_000_000;

function optionsOf(
  world: World,
  process: SimProcess,
  server: ReturnType<typeof serverSource>,
): Parameters<typeof createMcpTx>[0] {
  const { plan } = world;
  const probe = (operation: { readonly operationId: string }): Promise<ProbeVerdict> =>
    world.look(process, operation.operationId);
  return {
    name: 'server',
    server,
    ledger: world.store.link(process),
    clock: process,
    random: process.random,
    validateArguments: false,
    tools: {
      pay: plan.hasProbe ? { probe } : {},
      charge: { idempotencyArgument: '/idempotency_key' },
      put: { idempotent: true },
      read: { readOnly: true },
    },
    ...(plan.attemptTimeoutMs === undefined ? {} : { attemptTimeoutMs: plan.attemptTimeoutMs }),
    retry: { maxAttempts: plan.maxAttempts, baseDelayMs: plan.baseDelayMs, maxDelayMs: plan.baseDelayMs * 8 },
    settleGraceMs: plan.settleGraceMs,
    quietMs: plan.quietMs,
    leaseMs: plan.leaseMs,
    sweepIntervalMs: plan.sweepIntervalMs,
    limits: { maxInFlight: plan.maxInFlight, maxQueued: plan.maxQueued },
    breaker: plan.breaker,
    retryBudget: { capacity: plan.retryCapacity },
    retentionMs: plan.retentionMs,
    quarantineMs: plan.quarantineMs,
    probeIfIdleMs: plan.probeIfIdleMs,
    connectTimeoutMs: 500,
  };
}
