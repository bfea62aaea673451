// I2, I4, I7 and I9: what callers were told, against each other and against the record.
import type { OperationRecord } from '@mcp-tx/core';
import type { Facts, OpFacts, Violation } from './facts.ts';
import { releasesOf } from './facts.ts';

export function checkAnswers(facts: Facts): Violation[] {
  return [...facts.ops.values()].flatMap((op) => {
    if (op.isForgotten) return [];
    return [foreignAnswers, oneVariant, equalAnswers, recordedIsTrue, doubtStaysDoubt].flatMap((hold) =>
      hold(op, facts),
    );
  });
}

/** I2: all recorded successes of an operation are one text, and nothing of ours is in it. */
function equalAnswers(op: OpFacts): Violation[] {
  const texts = new Set(successes(op).map(({ result }) => result));
  const violations: Violation[] = [];
  if (texts.size > 1)
    violations.push({ id: 'I2', op: op.op, says: `${texts.size} different answers: ${[...texts].join(' | ')}` });
  if ([...texts].some((text) => text?.includes('io.github.mcp-tx')))
    violations.push({ id: 'I2', op: op.op, says: 'the wire’s own block is part of an answer' });
  return violations;
}

/** I4: a caller who was told a recorded success finds just that in the store. */
function recordedIsTrue(op: OpFacts): Violation[] {
  return successes(op).flatMap(({ call, result }) => {
    if (op.record === undefined) return []; // its retention is over
    const text = resultOf(op.record);
    if (op.record.state === 'completed' && text === result) return [];
    const says = `call ${call} was told ${result}, recorded; the store says ${op.record.state} ${text ?? ''}`;
    return [{ id: 'I4', op: op.op, says }];
  });
}

/** I7: whoever used the key with other arguments gets nobody else's result. */
function foreignAnswers(op: OpFacts): Violation[] {
  return op.calls.flatMap(({ seen, answer }) => {
    if (answer?.ok !== true || answer.result === undefined) return [];
    const own = `${seen.intent.tool} ${seen.intent.name} v${seen.variant} run`;
    if (answer.result.includes(own)) return [];
    return [{ id: 'I7', op: op.op, says: `call ${seen.call} got ${answer.result}` }];
  });
}

/** I7: one key, one set of arguments on the wire; and nobody is told of a conflict where there is none. */
function oneVariant(op: OpFacts, facts: Facts): Violation[] {
  const sent = new Set(op.messages.map((message) => message.sent.variant));
  const violations: Violation[] = [];
  const mayBeNew = facts.history.plan.retentionMs < facts.history.endedAt && releasesOf(op) > 0; // such a key is new in the end
  if (op.keyed && !mayBeNew && sent.size > 1)
    violations.push({ id: 'I7', op: op.op, says: 'two sets of arguments were sent under one key' });
  const asked = new Set(op.calls.map(({ seen }) => seen.variant));
  if (asked.size === 1 && op.calls.some(({ answer }) => answer?.code === 'KEY_CONFLICT'))
    violations.push({ id: 'I7', op: op.op, says: 'a conflict was told where there is none' });
  return violations;
}

/** I9: doubt is told as doubt, and ends only by a resolution that says who and why. */
function doubtStaysDoubt(op: OpFacts, facts: Facts): Violation[] {
  const { record } = op;
  if (record === undefined) return [];
  const doubted = op.calls.filter(({ answer }) => answer?.code === 'IN_DOUBT' && answer.recorded);
  const first = Math.min(...doubted.map(({ answer }) => answer?.at ?? Number.POSITIVE_INFINITY));
  const resolved = facts.history.events.some(
    (event) => event.what === 'resolve' && op.operationIds.has(event.operationId),
  );
  if (record.state === 'in_doubt') {
    const liars = op.calls.filter(({ answer }) => answer?.ok === true && answer.recorded);
    return liars.map(({ seen }) => ({
      id: 'I9',
      op: op.op,
      says: `call ${seen.call} was told a success, and it is in doubt`,
    }));
  }
  if (doubted.length === 0 || resolved) return [];
  return [
    { id: 'I9', op: op.op, says: `was told as in doubt at ${first}, is ${record.state}, and nobody resolved it` },
  ];
}

function successes(op: OpFacts): readonly { readonly call: number; readonly result: string }[] {
  return op.calls.flatMap(({ seen, answer }) =>
    answer?.ok === true && answer.recorded && answer.result !== undefined
      ? [{ call: seen.call, result: answer.result }]
      : [],
  );
}

function resultOf({ outcome }: OperationRecord): string | undefined {
  return outcome?.state === 'completed' ? outcome.result : undefined;
}
