/** Sends one tool call as a frame of our own, past the SDK's client, and reports everything that was seen of it. */
import type { Sending, SendRequest } from '../engine/tool-caller.ts';
import type { Observation } from '../policy/observation.ts';
import type { Channel } from './send-through.ts';
import { paramsOf } from './send-through.ts';
import type { Tap } from './tap.ts';
import { httpStatusOf } from './tap.ts';
import type { FrameOwner } from './watch.ts';
import { Watch } from './watch.ts';

/** Sends. There is no timer: the engine says when nobody waits any more. */
export function exchangeFrames(channel: Channel, tap: Tap, request: SendRequest): Sending {
  return new FrameSending(channel, tap, request);
}

const NOT_CONNECTED = { name: 'Error', message: 'Not connected' } as const;

class FrameSending implements Sending, FrameOwner {
  readonly ended: Promise<Observation>;
  readonly #channel: Channel;
  readonly #tap: Tap;
  readonly #request: SendRequest;
  readonly #watch = new Watch(undefined, true);
  #finish: ((seen: Observation) => void) | undefined;

  constructor(channel: Channel, tap: Tap, request: SendRequest) {
    this.#channel = channel;
    this.#tap = tap;
    this.#request = request;
    this.#watch.owner = this;
    this.#watch.frames = this;
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const refusal = tap.isUnder(channel.client) ? channel.tools.refusal(request.tool) : NOT_CONNECTED;
    if (refusal === undefined) this.#send();
    else this.#end(undefined, refusal);
  }

  cancel(reason: string): void {
    this.#watch.cancelled = true;
    this.#tap.cancel(this.#watch, reason);
    this.#end(undefined, undefined);
  }

  forget(): void {
    this.#end(undefined, undefined);
  }

  isDead(): boolean {
    return this.#channel.isDead();
  }

  onLost(): void {
    this.#end(undefined, undefined);
  }

  onAnswer(): void {
    const { frame, rawResult } = this.#watch;
    const result = frame === 'result' ? rawResult : undefined;
    const flaw = result === undefined ? undefined : this.#channel.tools.flawOf(this.#request.tool, result);
    if (flaw === undefined) this.#end(result, undefined);
    else this.#end(undefined, new Error(flaw));
  }

  /** In a microtask of its own, as the SDK has it: what a listener throws must not reach the transport. */
  onProgress(params: unknown): void {
    const { onProgress } = this.#request;
    const { progress, total, message } = params as Parameters<NonNullable<typeof onProgress>>[0];
    if (onProgress === undefined || typeof progress !== 'number') return;
    Promise.resolve({ progress, total, message })
      .then(onProgress)
      .catch(() => undefined);
  }

  #send(): void {
    const { arguments: args, identity, onProgress } = this.#request;
    const id = identity.attemptId; // unique for ever, so no two taps over one transport take each other's answers
    const params = paramsOf(this.#channel, this.#request, { ...args });
    const asked = onProgress === undefined ? params : { ...params, _meta: { ...params._meta, progressToken: id } };
    try {
      this.#tap.exchange(this.#watch, id, asked).catch((thrown: unknown) => this.#failed(thrown));
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  #failed(thrown: unknown): void {
    this.#watch.status ??= httpStatusOf(thrown);
    this.#end(undefined, thrown ?? new Error('the transport rejected without a reason'));
  }

  #end(result: object | undefined, thrown: unknown): void {
    const finish = this.#finish;
    if (finish === undefined) return;
    this.#finish = undefined;
    this.#tap.forget(this.#watch);
    finish(this.#watch.end(result, thrown));
  }
}
