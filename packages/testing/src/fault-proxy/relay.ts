/** Owns the traffic between client and real server, line by line, and the injecting of faults into it. */
import type { CallIdentity } from '../effect-log/call-identity.ts';
import { asObject, identify, toToolCall } from '../faulty-server/tool-call.ts';
import type { Decision, ProxyFaultKind } from './plan.ts';
import type { ProxyFault } from './proxy-log.ts';
import type { ProxySchedule } from './proxy-state.ts';

/** What the relay needs of the world. */
export interface RelayEnds {
  readonly schedule: ProxySchedule;
  readonly log: (fault: ProxyFault) => void;
  readonly toServer: (line: Buffer) => void;
  readonly toClient: (line: Buffer) => void;
  /** `kill -9` of the real server. */
  readonly kill: () => void;
}

/** A call that the server was given, with the fault that waits for its answer. */
interface Pending {
  readonly call: CallIdentity;
  readonly number: number;
  readonly decision: Decision | undefined;
  answered: boolean;
}

const UNCOUNTED = { number: 0, decision: undefined, answered: false };

/** Passes lines on and injects faults on the way. After a kill it passes nothing on, in either direction. */
export class Relay {
  readonly #ends: RelayEnds;
  readonly #pending = new Map<string | number, Pending>();
  #dead = false;

  constructor(ends: RelayEnds) {
    this.#ends = ends;
  }

  /** Takes one line of the client. */
  fromClient(line: Buffer): void {
    const call = readCall(line);
    if (this.#dead && call !== undefined) this.#record('lost-in-kill', { call, ...UNCOUNTED });
    else if (call !== undefined) this.#strike(line, call);
    else if (!this.#dead) this.#ends.toServer(line);
  }

  /** Takes one line of the server. */
  fromServer(line: Buffer): void {
    if (this.#dead) return;
    const entry = this.#pending.get(answeredId(line) ?? Number.NaN);
    if (entry === undefined) this.#ends.toClient(line);
    else this.#giveBack(line, entry);
  }

  #strike(line: Buffer, call: CallIdentity): void {
    const { call: number, decision } = this.#ends.schedule.next(call.tool);
    const entry = { call, number, decision, answered: false };
    if (decision?.kind === 'kill-before') this.#kill('kill-before', entry);
    else if (decision?.kind === 'drop-request') this.#record('drop-request', entry);
    else this.#give(line, entry);
  }

  #give(line: Buffer, entry: Pending): void {
    this.#pending.set(entry.call.jsonRpcId, entry);
    this.#ends.toServer(line);
    if (entry.decision?.kind === 'duplicate-request') {
      this.#record('duplicate-request', entry);
      this.#ends.toServer(line);
    }
    if (entry.decision?.kind === 'kill-during') {
      setTimeout(() => this.#kill('kill-during', entry), entry.decision.waitMs);
    }
  }

  #giveBack(line: Buffer, entry: Pending): void {
    entry.answered = true;
    if (entry.decision?.kind !== 'kill-during') this.#pending.delete(entry.call.jsonRpcId);
    switch (entry.decision?.kind) {
      case 'kill-during':
        break; // The timer runs, and the answer dies with the server.
      case 'kill-after':
        this.#kill('kill-after', entry);
        break;
      case 'drop-response':
        this.#record('drop-response', entry);
        break;
      case 'delay-response':
        this.#record('delay-response', entry);
        setTimeout(() => this.#dead || this.#ends.toClient(line), entry.decision.waitMs);
        break;
      default:
        this.#ends.toClient(line);
    }
  }

  #kill(kind: ProxyFaultKind, entry: Pending): void {
    if (this.#dead) return;
    this.#dead = true;
    const lost = [...this.#pending.values()].filter((other) => other !== entry);
    const alsoLost = lost.map(({ call }) => call);
    this.#record(kind, entry, alsoLost);
    this.#ends.kill();
  }

  #record(kind: ProxyFault['kind'], entry: Pending, alsoLost: readonly CallIdentity[] = []): void {
    const { call, number, answered } = entry;
    this.#ends.log({ kind, call: number, ...call, answered, alsoLost, at: Date.now(), pid: process.pid });
  }
}

function readCall(line: Buffer): CallIdentity | undefined {
  const call = toToolCall(parse(line));
  return call && identify(call);
}

function answeredId(line: Buffer): string | number | undefined {
  const { id, result, error } = asObject(parse(line));
  if (result === undefined && error === undefined) return undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
}
