/** Gathers what is written to a child process within one turn of the event loop into one write: each write is a system call. */
import type { Writable } from 'node:stream';
import { member } from '../protocol/tx-meta.ts';

/**
 * The writes of one transport. Those of the SDKs' stdio transports go to `_process.stdin`, which is theirs: where it is not there any
 * more, each frame leaves by itself, as it does over any other transport.
 */
export class GatheredWrites {
  readonly #transport: object;
  #isGathering = false;

  constructor(transport: object) {
    this.#transport = transport;
  }

  /** From here on everything that is written in this turn leaves together, at its end. Node's own HTTP writes so, too. */
  gather(): void {
    if (this.#isGathering) return;
    const stdin = stdinUnder(this.#transport);
    if (stdin === undefined) return;
    this.#isGathering = true;
    stdin.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      stdin.uncork();
    });
  }
}

function stdinUnder(transport: object): Writable | undefined {
  const stdin = member(member(transport, '_process'), 'stdin') as Writable | undefined;
  return typeof stdin?.cork === 'function' && typeof stdin.uncork === 'function' ? stdin : undefined;
}
