/** Owns what the faulty server's tools do; every effect goes to the effect log before anything is answered. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Effect, EffectLog } from '../effect-log.ts';
import type { Answer } from './answer.ts';
import { errorAnswer, textResult } from './answer.ts';
import type { ToolCall } from './tool-call.ts';
import { identify } from './tool-call.ts';

/** Sends one progress notification for the running call. */
export type Notify = (notification: Record<string, unknown>) => void | Promise<void>;

/** What a tool may use. */
export interface ToolRun {
  readonly call: ToolCall;
  readonly effects: EffectLog;
  readonly notify: Notify;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

type Tool = (run: ToolRun) => Answer | Promise<Answer>;

const TOOLS: Readonly<Record<string, Tool>> = {
  pay: (run) => requireText(run, ['orderId']) ?? effectAnswer(haveEffect(run)),
  pay_keyed: (run) => requireText(run, ['orderId', 'idempotency_key']) ?? payOnce(run),
  read_balance: ({ effects }) => textResult({ balance: balanceOf(effects.read()) }),
  echo: ({ call }) => textResult(String(call.args.text ?? '')),
  append: (run) => effectAnswer(haveEffect(run)),
  slow: runSlow,
  progress: runProgress,
  typed: runTyped,
  lying: (run) => effectAnswer(haveEffect(run)),
};

/** Runs the tool that the call names. An unknown tool and wrong arguments are -32602 and have no effect. */
export async function runTool(run: ToolRun): Promise<Answer> {
  const tool = Object.hasOwn(TOOLS, run.call.tool) ? TOOLS[run.call.tool] : undefined;
  return tool === undefined ? errorAnswer(-32602, `Unknown tool: ${run.call.tool}`) : await tool(run);
}

/** The answer of a tool whose effect that is; the same effect gives the same answer, byte for byte. */
export function effectAnswer({ args, receipt }: Effect): Answer {
  const { idempotency_key: _, ...rest } = args;
  return textResult({ ...rest, receipt });
}

function haveEffect({ call, effects }: ToolRun, key?: string): Effect {
  const { tool, ...ids } = identify(call);
  const effect: Effect = {
    effect: tool,
    args: call.args,
    receipt: randomUUID(),
    ...(key === undefined ? {} : { key }),
    at: Date.now(),
    pid: process.pid,
    ...ids,
  };
  effects.append(effect);
  return effect;
}

/** Look and write are one synchronous step, so two calls with one key cannot both pay. */
function payOnce(run: ToolRun): Answer {
  const key = String(run.call.args.idempotency_key);
  const earlier = run.effects.read().find((effect) => effect.effect === 'pay_keyed' && effect.key === key);
  return effectAnswer(earlier ?? haveEffect(run, key));
}

async function runSlow(run: ToolRun): Promise<Answer> {
  await sleep(numberOf(run.call.args.ms, 0), undefined, { signal: run.closing });
  return effectIfOrdered(run) ?? textResult('slow');
}

/** Also waits before the answer: the SDK's client drops progress that arrives in one chunk with it. */
async function runProgress(run: ToolRun): Promise<Answer> {
  const { args, progressToken } = run.call;
  const total = numberOf(args.steps, 3);
  const pause = (): Promise<void> => sleep(numberOf(args.everyMs, 10), undefined, { signal: run.closing });
  for (let progress = 1; progress <= total; progress += 1) {
    await pause();
    if (progressToken === undefined) continue;
    await run.notify({ method: 'notifications/progress', params: { progressToken, progress, total } });
  }
  await pause();
  return effectIfOrdered(run) ?? textResult('progress');
}

function runTyped(run: ToolRun): Answer {
  const { args } = run.call;
  const value = numberOf(args.value, 1);
  effectIfOrdered(run);
  if (args.wrong === 'missing') return textResult({ value });
  return textResult({ value }, { structuredContent: { value: args.wrong === 'type' ? String(value) : value } });
}

function effectIfOrdered(run: ToolRun): Answer | undefined {
  return run.call.args.orderId === undefined ? undefined : effectAnswer(haveEffect(run));
}

function requireText({ call }: ToolRun, names: readonly string[]): Answer | undefined {
  const missing = names.find((name) => typeof call.args[name] !== 'string');
  return missing === undefined ? undefined : errorAnswer(-32602, `Invalid arguments: ${missing} must be a string`);
}

function balanceOf(effects: readonly Effect[]): number {
  return effects.reduce((sum, { args }) => sum + numberOf(args.amount, 0), 0);
}

function numberOf(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
