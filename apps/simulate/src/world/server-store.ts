// What the server's side keeps for good: effects, the tool provider's own keys, and the records of a server that dedupes.
import { EXTENSION_ID } from '@mcp-tx/core/protocol';
import type { Owner } from './event-loop.ts';
import type { Message, WireEnd } from './message.ts';
import { errorEnd } from './message.ts';
import type { ServerKind } from './swarm.ts';

/** Why a server turns a message away that it is at already. */
export const UNDER_WAY = 'in-progress';

type Kept =
  | { readonly state: 'running'; readonly life: Owner; readonly fingerprint: string | undefined }
  | { readonly state: 'ended'; readonly end: WireEnd; readonly fingerprint: string | undefined };

/** The durable side of all servers of a history. */
export class ServerStore {
  readonly #kind: ServerKind;
  readonly #records = new Map<string, Kept>();
  /** Texts of the tool provider's answers by the key argument or, for tools that merely set something, by the intent. */
  readonly #byKey = new Map<string, string>();
  /** Results of effects, by operation: what a look at the world shows. */
  readonly #done = new Map<string, string>();
  #runs = 0;

  constructor(kind: ServerKind) {
    this.#kind = kind;
  }

  /** What an operation left behind, for probes and operators: the tool's text. */
  lookFor(op: string): string | undefined {
    return this.#done.get(op);
  }

  /** Before the tool runs. An answer means that it shall not. */
  claim(message: Message, life: Owner): WireEnd | undefined {
    const { operationId, fingerprint } = message;
    const kept = this.#records.get(operationId);
    if (kept === undefined) {
      this.#records.set(operationId, { state: 'running', life, fingerprint });
      return undefined;
    }
    if (kept.fingerprint !== fingerprint) return nack('conflict', false);
    if (kept.state === 'ended') return kept.end;
    if (!kept.life.isGone) return nack(UNDER_WAY, false);
    if (this.#kind === 'aware') return nack('in-doubt', false);
    // Effect and record are one commit there: no record, no effect.
    this.#records.set(operationId, { state: 'running', life, fingerprint });
    return undefined;
  }

  /** The effect. A tool with a key argument has it once for each key. */
  effect(message: Message, tell: (run: number) => void): string {
    const key = message.toolKey;
    const earlier = key === undefined ? undefined : this.#byKey.get(key);
    if (earlier !== undefined) return earlier;
    this.#runs += 1;
    const text = `${message.tool} ${message.intent} v${message.variant} run ${this.#runs}`;
    if (key !== undefined) this.#byKey.set(key, text);
    this.#done.set(message.op, text);
    tell(this.#runs);
    return text;
  }

  /** Whether the effect and its record are one commit. */
  get isTransactional(): boolean {
    return this.#kind === 'transactional';
  }

  /** After the tool ran. */
  record({ operationId, fingerprint }: Message, end: WireEnd): void {
    if (this.#kind !== 'plain') this.#records.set(operationId, { state: 'ended', end, fingerprint });
  }

  /** After the tool threw. What a server that dedupes knows of it is kept, so that a late copy of the message does not run. */
  failed(message: Message, hadEffect: boolean): WireEnd {
    if (this.#kind === 'plain') return errorEnd(-32_603, 'the tool threw', 'nothing');
    const end = hadEffect ? nack('in-doubt', true) : nack('failed', false);
    this.record(message, end);
    return end;
  }
}

function nack(reason: string, processed: boolean): WireEnd {
  const proves = reason === 'failed' || reason === 'conflict' ? 'nothing-ran' : 'nothing';
  return errorEnd(-32_000, `not taken: ${reason}`, proves, { [EXTENSION_ID]: { ack: false, processed, reason } });
}
