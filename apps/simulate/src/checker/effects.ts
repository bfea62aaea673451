// I1 and I8: how often something happened, against what was promised and what was told.
import type { CallFacts, Facts, MessageFacts, OpFacts, Violation } from './facts.ts';
import { effectsOf, modeOf } from './facts.ts';

/** Refusals that speak of this call only, and not of what its key may have done earlier. */
const OF_THIS_CALL: ReadonlySet<string> = new Set([
  'KEY_CONFLICT',
  'KEY_EXPIRED',
  'CALL_INVALID',
  'OVERLOADED',
  'BREAKER_OPEN',
  'CLOSED',
  'ABORTED',
]);

export function checkEffects(facts: Facts): Violation[] {
  return [...facts.ops.values()].flatMap((op) => [
    ...atMostOnce(facts, op),
    ...noBlindResend(facts, op),
    ...(op.tool === 'read' ? [] : noneIsNone(op)), // a read has no effect to be told of
    ...failedIsNone(op),
  ]);
}

/** I1: one effect at most, unless the store forgot and nobody else remembers. */
function atMostOnce(facts: Facts, op: OpFacts): Violation[] {
  const mode = modeOf(facts, op.tool);
  if (mode === 'at-least-once' || (mode === 'at-most-once' && op.isForgotten)) return [];
  const count = effectsOf(op);
  return count <= 1 ? [] : [{ id: 'I1', op: op.op, says: `${count} effects` }];
}

/** I1, where luck does not count: an at-most-once tool is sent again only once every earlier send is proven harmless. */
function noBlindResend(facts: Facts, op: OpFacts): Violation[] {
  if (modeOf(facts, op.tool) !== 'at-most-once' || op.isForgotten) return [];
  const probes = facts.history.plan.hasProbe;
  return op.messages.flatMap(({ sent }, i) =>
    op.messages
      .slice(0, i)
      .filter((earlier) => !isHarmless(earlier, sent.at) && !(probes && earlier.effects.length === 0))
      .map((earlier) => ({
        id: 'I1',
        op: op.op,
        says: `#${sent.message} was sent at ${sent.at} while #${earlier.sent.message} could have run`,
      })),
  );
}

/** The wire showed, before `at`, that this message did not run. */
function isHarmless({ end }: MessageFacts, at: number): boolean {
  return end !== undefined && end.proves === 'nothing-ran' && end.at <= at;
}

/**
 * I8: a caller was told that nothing was executed, so nothing that was sent by then ever has an effect. The answer holds for
 * some moment of the call: what another process sends while the call waits comes after that.
 */
function noneIsNone(op: OpFacts): Violation[] {
  return op.calls.flatMap(({ seen, answer }: CallFacts) => {
    if (answer === undefined || answer.execution !== 'none') return [];
    if (op.keyed && OF_THIS_CALL.has(answer.code ?? '')) return [];
    const liars = op.messages.filter(({ sent, effects }) => {
      const knownUntil = sent.process === seen.process ? answer.at : seen.at;
      return effects.length > 0 && sent.at < knownUntil;
    });
    if (op.isForgotten) return [];
    return liars.map(({ sent }) => ({
      id: 'I8',
      op: op.op,
      says: `call ${seen.call} was told "none" (${answer.code}) at ${answer.at}, and #${sent.message} had an effect`,
    }));
  });
}

/** I8: the record says that it failed, so it never happened. */
function failedIsNone(op: OpFacts): Violation[] {
  if (op.record?.state !== 'failed' || op.isForgotten || op.tool === 'read') return [];
  const count = effectsOf(op);
  return count === 0 ? [] : [{ id: 'I8', op: op.op, says: `recorded as failed, with ${count} effects` }];
}
