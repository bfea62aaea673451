/** Owns the way of one call to its answer: tool, fault that alters the answer, and dedupe, in that order. */
import type { EffectLog } from '../effect-log.ts';
import { openEffectLog } from '../effect-log.ts';
import { alterAnswer } from './alter-answer.ts';
import type { Answer } from './answer.ts';
import { openAwareDesk } from './aware-desk.ts';
import type { Fault } from './fault.ts';
import { effectTiming } from './fault.ts';
import type { ToolCall } from './tool-call.ts';
import type { Notify } from './tools.ts';
import { runTool } from './tools.ts';

/** Answers calls; every transport and every fault goes through it when a tool is to run. */
export interface CallDesk {
  readonly effects: EffectLog;
  /** Whether repeats are answered from memory. */
  readonly aware: boolean;
  /** Aborted by `close`. */
  readonly closing: AbortSignal;
  /**
   * Answers a call. A fault that alters answers is applied where the tool stands, so an aware server keeps and replays
   * the altered answer; one that strikes before the effect is a rejection, and nothing is kept.
   */
  answer(call: ToolCall, notify: Notify, fault?: Fault): Promise<Answer>;
  close(): void;
}

/** Opens the desk over an effect log. */
export function openCallDesk(effectLog: string, aware: boolean): CallDesk {
  const effects = openEffectLog(effectLog);
  const repeats = aware ? openAwareDesk(`${effectLog}.aware`, () => effects.read()) : undefined;
  const closed = new AbortController();
  const closing = closed.signal;
  return {
    effects,
    aware,
    closing,
    async answer(call, notify, fault = { kind: 'none' }) {
      if (fault.kind === 'json-rpc-error' && effectTiming(fault) === 'before')
        return alterAnswer(fault, { result: {} });
      const run = async (): Promise<Answer> => alterAnswer(fault, await runTool({ call, effects, notify, closing }));
      return await (repeats === undefined ? run() : repeats.handle(call, run));
    },
    close() {
      closed.abort();
      repeats?.close();
      effects.close();
    },
  };
}
