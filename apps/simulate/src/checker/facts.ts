// Orders a history by calls, operations and messages, so that each invariant can be read as one sentence over them.
import type { OperationRecord } from '@mcp-tx/core';
import type { AnswerSeen, CallSeen, EndSeen, History, SendSeen, StoreSeen, ToolName } from '../world/history.ts';
import { ANY } from '../world/history.ts';
import { UNDER_WAY } from '../world/server-store.ts';

/** A call, its answer, its abort. */
export interface CallFacts {
  readonly seen: CallSeen;
  answer: AnswerSeen | undefined;
  abortedAt: number | undefined;
}

/** A message, and everything that became of it. */
export interface MessageFacts {
  readonly sent: SendSeen;
  end: EndSeen | undefined;
  cancelledAt: number | undefined;
  arrivals: number;
  readonly effects: number[];
}

/** An operation as the outside names it. */
export interface OpFacts {
  readonly op: string;
  readonly tool: ToolName;
  readonly keyed: boolean;
  readonly calls: CallFacts[];
  readonly messages: MessageFacts[];
  readonly store: StoreSeen[];
  readonly operationIds: Set<string>;
  record: OperationRecord | undefined;
  /** The store lost writes about it that it had acknowledged: much that follows is nobody's fault. */
  isForgotten: boolean;
}

/** Everything that the invariants ask for. */
export interface Facts {
  readonly history: History;
  readonly calls: ReadonlyMap<number, CallFacts>;
  readonly messages: ReadonlyMap<number, MessageFacts>;
  readonly ops: ReadonlyMap<string, OpFacts>;
  readonly byOperationId: ReadonlyMap<string, OpFacts>;
}

/** A promise that did not hold. */
export interface Violation {
  readonly id: string;
  readonly op?: string;
  readonly says: string;
}

/** Orders a history. */
export function factsOf(history: History): Facts {
  const calls = new Map<number, CallFacts>();
  const messages = new Map<number, MessageFacts>();
  const ops = new Map<string, OpFacts>();
  const byOperationId = new Map<string, OpFacts>();
  const storeSeen: StoreSeen[] = [];
  const forgotten = new Set<string>();
  for (const event of history.events) {
    if (event.what === 'call') {
      const call = { seen: event, answer: undefined, abortedAt: undefined };
      calls.set(event.call, call);
      opOf(ops, event.op, event.intent.tool, event.intent.key !== undefined).calls.push(call);
    } else if (event.what === 'answer') {
      const call = calls.get(event.call);
      if (call !== undefined) call.answer = event;
      const op = call === undefined ? undefined : ops.get(call.seen.op);
      if (event.operationId !== undefined && op !== undefined && event.code !== 'REPEAT_QUARANTINED')
        name(byOperationId, op, event.operationId);
    } else if (event.what === 'abort') {
      const call = calls.get(event.call);
      if (call !== undefined) call.abortedAt = event.at;
    } else if (event.what === 'send') {
      const message = { sent: event, end: undefined, cancelledAt: undefined, arrivals: 0, effects: [] };
      messages.set(event.message, message);
      const op = opOf(ops, event.op, event.tool, !event.op.startsWith('call'));
      op.messages.push(message);
      name(byOperationId, op, event.operationId);
    } else if (event.what === 'store') storeSeen.push(event);
    else if (event.what === 'amnesia') for (const operationId of event.operationIds) forgotten.add(operationId);
    else if ('message' in event) noteMessage(messages.get(event.message), event);
  }
  for (const seen of storeSeen) {
    if (seen.operationId !== undefined) byOperationId.get(seen.operationId)?.store.push(seen);
    for (const operationId of seen.swept ?? []) byOperationId.get(operationId)?.store.push(seen);
  }
  for (const record of history.records) {
    const op = byOperationId.get(record.operationId);
    if (op !== undefined) op.record = record;
  }
  for (const op of ops.values())
    op.isForgotten = forgotten.has(ANY) || [...op.operationIds].some((operationId) => forgotten.has(operationId));
  return { history, calls, messages, ops, byOperationId };
}

/** The promise that holds for a tool, as anybody knows who knows the server. */
export function modeOf(
  { history: { plan } }: Facts,
  tool: ToolName,
): 'at-most-once' | 'at-least-once' | 'effectively-once' {
  if (plan.server !== 'plain' || tool === 'charge') return 'effectively-once';
  return tool === 'pay' ? 'at-most-once' : 'at-least-once';
}

/** Effects of all messages of an operation. */
export function effectsOf(op: OpFacts): number {
  return op.messages.reduce((sum, { effects }) => sum + effects.length, 0);
}

/** Whether bytes left: a refused connection is no send. */
export function hasLeft({ end }: MessageFacts): boolean {
  return !(end?.proves === 'nothing-ran' && end.says === 'the connection was refused');
}

/** Whether the server answered that it runs the operation already. */
export function wasToldUnderWay({ end }: MessageFacts): boolean {
  return end?.says.endsWith(UNDER_WAY) === true;
}

/** How often the store gave the operation back with nothing left to happen: each time its key was as good as new. */
export function releasesOf(op: OpFacts): number {
  return op.store.filter(
    (seen) =>
      seen.freed?.some((operationId) => op.operationIds.has(operationId)) === true ||
      (seen.method === 'release' && seen.answer === 'true'),
  ).length;
}

function noteMessage(message: MessageFacts | undefined, event: { readonly what: string; readonly at: number }): void {
  if (message === undefined) return;
  if (event.what === 'end') message.end = event as EndSeen;
  if (event.what === 'cancel') message.cancelledAt = event.at;
  if (event.what === 'arrive') message.arrivals += 1;
  if (event.what === 'effect') message.effects.push(event.at);
}

function opOf(ops: Map<string, OpFacts>, op: string, tool: ToolName, keyed: boolean): OpFacts {
  const known = ops.get(op);
  if (known !== undefined) return known;
  const fresh: OpFacts = {
    op,
    tool,
    keyed,
    calls: [],
    messages: [],
    store: [],
    operationIds: new Set(),
    record: undefined,
    isForgotten: false,
  };
  ops.set(op, fresh);
  return fresh;
}

function name(byOperationId: Map<string, OpFacts>, op: OpFacts, operationId: string): void {
  op.operationIds.add(operationId);
  byOperationId.set(operationId, op);
}
