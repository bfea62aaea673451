// A process's connection to the tool server, at the seam where the engine calls tools: it loses, delays, doubles, reorders.
import type {
  ConnectionContext,
  ConnectionState,
  Observation,
  Sending,
  SendRequest,
  ServerConnection,
  ToolDefinition,
} from '@mcp-tx/core';
import { McpTxError } from '@mcp-tx/core';
import type { Message, WireEnd } from './message.ts';
import { LOST, messageOf, REFUSED } from './message.ts';
import type { SimProcess } from './sim-process.ts';
import type { ToolServer } from './tool-server.ts';
import type { World } from './world.ts';

const TOOLS: readonly ToolDefinition[] = ['pay', 'charge', 'put', 'read'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
}));

interface Open {
  readonly message: Message;
  readonly end: (seen: Observation) => void;
}

/** One process's end of the wire. */
export class SimConnection implements ServerConnection {
  readonly server: ToolServer;
  readonly process: SimProcess;
  readonly speaksMcpTx: boolean;
  generation = 1;
  readonly #world: World;
  readonly #probeIfIdleMs: number;
  readonly #open = new Map<number, Open>();
  #isUp = false;
  #isClosed = false;
  #heardAt = 0;

  constructor(world: World, process: SimProcess, server: ToolServer, context: ConnectionContext) {
    this.#world = world;
    this.process = process;
    this.server = server;
    this.speaksMcpTx = world.plan.server !== 'plain';
    this.#probeIfIdleMs = context.probeIfIdleMs;
  }

  get state(): ConnectionState {
    if (this.#isClosed) return 'closed';
    return this.#isUp ? 'ready' : 'down';
  }

  isReady(unsafe: boolean): boolean {
    return this.#isUp && !(unsafe && this.#world.loop.now - this.#heardAt > this.#probeIfIdleMs);
  }

  makeReady(_unsafe: boolean, signal: AbortSignal): Promise<void> {
    return this.#ask(signal, () => this.#connected());
  }

  recover(what: 'auth' | 'session'): Promise<void> {
    if (what === 'session') this.generation += 1;
    return new Promise((resolve) => this.process.post(2, resolve));
  }

  listTools(signal: AbortSignal): Promise<readonly ToolDefinition[]> {
    return this.#ask(signal, () => {
      this.#connected();
      return TOOLS;
    });
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#ask(signal, () => this.#connected());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isUp = false;
    this.#open.clear();
  }

  send(request: SendRequest): Sending {
    const world = this.#world;
    const message = messageOf(world.nextMessage(), request);
    const { operationId, requestId, attempt } = request.identity;
    const { op, tool, variant } = message;
    const process = this.process.name;
    world.knowOperation(operationId, op);
    world.see({ what: 'send', message: message.id, process, op, tool, variant, operationId, requestId, attempt });
    let end: (seen: Observation) => void = () => undefined;
    const ended = new Promise<Observation>((resolve) => {
      end = resolve;
    });
    const { incarnation } = this.server;
    this.#open.set(message.id, { message, end });
    this.#leave(message);
    return {
      ended,
      cancel: (reason) => this.#cancel(message, reason),
      forget: () => void this.#open.delete(message.id),
      isDead: () => world.plan.wire === 'stdio' && (!this.server.isUp || this.server.incarnation > incarnation),
    };
  }

  /** The server's answer to a message, already drawn: on its way back. */
  answer(message: Message, end: WireEnd): void {
    const { dice, plan } = this.#world;
    if (this.#world.strikes('answer.lost', `the answer to #${message.id} is lost`)) {
      if (dice.chance(0.5)) this.#arrive(message, LOST, dice.int(1, 20));
      return;
    }
    const isSlow = this.#world.strikes('answer.slow', `the answer to #${message.id} is late`);
    const delayMs = isSlow ? dice.int(20, Math.max(...plan.timeoutMs) + plan.settleGraceMs) : dice.int(0, 3);
    this.#arrive(message, end, delayMs);
    if (this.#world.strikes('answer.doubled', `the answer to #${message.id} comes twice`))
      this.#arrive(message, end, delayMs + dice.int(0, 30));
  }

  /** Everything that was unanswered will stay so. */
  reset(): void {
    this.#isUp = false;
    for (const { message } of this.#open.values()) this.#arrive(message, LOST, 0);
  }

  #leave(message: Message): void {
    const { dice, plan } = this.#world;
    if (!this.#isUp || !this.server.isUp || this.#world.strikes('connection.refused', `#${message.id} is refused`)) {
      this.#arrive(message, REFUSED, dice.int(0, 2));
      return;
    }
    if (this.#world.strikes('request.lost', `#${message.id} is lost`)) {
      if (dice.chance(0.5)) this.#arrive(message, LOST, dice.int(1, 20));
      return;
    }
    const isSlow = this.#world.strikes('request.slow', `#${message.id} is slow`);
    const delayMs = isSlow ? dice.int(1, Math.max(1, plan.messageLifeMs - plan.executionMs)) : dice.int(0, 3);
    this.server.receive(message, this, delayMs, false);
    // A plain server has no way to recognise a message that the network doubled, so there the network does not.
    if (this.server.recognises(message) && this.#world.strikes('request.doubled', `#${message.id} comes twice`))
      this.server.receive(message, this, dice.int(0, Math.max(1, plan.messageLifeMs - plan.executionMs)), true);
  }

  #arrive(message: Message, end: WireEnd, delayMs: number): void {
    this.process.post(delayMs, () => this.#end(message, end));
  }

  /** The first answer counts, and only one that comes over the connection that asked. */
  #end(message: Message, { seen, proves, says }: WireEnd): void {
    const open = this.#open.get(message.id);
    if (open === undefined || this.#isClosed) return;
    this.#open.delete(message.id);
    this.#heardAt = this.#world.loop.now;
    this.#world.see({ what: 'end', message: message.id, process: this.process.name, proves, says });
    open.end({ tapped: true, dispatched: true, ...seen });
  }

  #cancel(message: Message, reason: string): void {
    const open = this.#open.get(message.id);
    if (open === undefined) return;
    this.#open.delete(message.id);
    this.#world.see({ what: 'cancel', message: message.id });
    this.#world.loop.post(this.#world.dice.int(0, 3), () => {
      message.isCancelled = true;
    });
    open.end({ tapped: true, dispatched: true, cancelled: true, thrown: { name: 'AbortError', message: reason } });
  }

  #connected(): void {
    this.#isUp = true;
    this.#heardAt = this.#world.loop.now;
  }

  /** Something small that needs the server, and no more than a moment. */
  #ask<T>(signal: AbortSignal, answer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new McpTxError('CONNECTION_FAILED', 'cannot connect to the server'));
      signal.addEventListener('abort', fail, { once: true });
      this.process.post(this.#world.dice.int(0, 4), () => {
        signal.removeEventListener('abort', fail);
        if (signal.aborted || this.#isClosed || !this.server.isUp) fail();
        else resolve(answer());
      });
    });
  }
}
