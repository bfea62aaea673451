// I4, I6 and I11: who sent, how often, and whether anybody else had the right to.
import type { StoreSeen } from '../world/history.ts';
import type { Facts, OpFacts, Violation } from './facts.ts';
import { hasLeft, modeOf, releasesOf, wasToldUnderWay } from './facts.ts';

export function checkSends(facts: Facts): Violation[] {
  return [...facts.ops.values()].flatMap((op) => [
    ...(op.isForgotten ? [] : [...boundedSends(facts, op), ...staleWrites(op), ...oneOwner(op), ...oneDriver(op)]),
    ...nothingCancelled(facts, op),
    ...sendsAreLeased(facts, op),
  ]);
}

/** I6: sends stay within maxAttempts; a key that was given back may be tried anew, and who is told "under way" may ask again. */
function boundedSends(facts: Facts, op: OpFacts): Violation[] {
  const { maxAttempts } = facts.history.plan;
  const sends = op.messages.filter(hasLeft).length;
  const releases = releasesOf(op);
  const told = op.messages.filter(wasToldUnderWay).length;
  const allowed = maxAttempts * (1 + releases) + told;
  if (sends <= allowed) return [];
  const why = `${maxAttempts} are allowed, ${releases} times given back, ${told} times told that it is under way`;
  return [{ id: 'I6', op: op.op, says: `${sends} sends; ${why}` }];
}

/** I4: once another owner has it, an earlier one's write changes nothing. */
function staleWrites(op: OpFacts): Violation[] {
  const violations: Violation[] = [];
  let fence = 0;
  for (const seen of op.store) {
    if (seen.method === 'claim' && isGranted(seen)) fence = seen.fence ?? 0; // 1 again once a released record has expired
    const isWrite =
      seen.method === 'markSent' || seen.method === 'release' || seen.method === 'settle' || seen.method === 'renewAll';
    if (isWrite && (seen.fence ?? 0) < fence && seen.answer.startsWith('true'))
      violations.push({
        id: 'I4',
        op: op.op,
        says: `${seen.method} with fence ${seen.fence} was taken at ${seen.at}, fence ${fence} is out`,
      });
  }
  return violations;
}

/** I11: while one owner's lease lasts, by the store's clock, the store gives it to nobody else. */
function oneOwner(op: OpFacts): Violation[] {
  const violations: Violation[] = [];
  let owner: { readonly token: string; readonly until: number } | undefined;
  for (const seen of op.store) {
    if (seen.method === 'claim' && isGranted(seen)) {
      const token = seen.ownerToken ?? '';
      if (owner !== undefined && owner.token !== token && owner.until > seen.storeAt)
        violations.push({ id: 'I11', op: op.op, says: `${token} got it at ${seen.at} while ${owner.token} held it` });
      owner = { token, until: seen.storeAt + (seen.leaseMs ?? 0) };
    } else if (seen.swept !== undefined || endsOwnership(seen)) owner = undefined;
    else if (owner !== undefined && seen.ownerToken === owner.token && seen.answer.startsWith('true'))
      owner = { token: owner.token, until: seen.storeAt + (seen.leaseMs ?? 0) };
  }
  return violations;
}

function isGranted({ answer }: StoreSeen): boolean {
  return answer === 'claimed' || answer === 'taken-over';
}

function endsOwnership({ method, answer }: StoreSeen): boolean {
  return (method === 'release' || method === 'settle') && answer === 'true';
}

/** I11: in one process, as long as a call drives an operation, no other call claims it. */
function oneDriver(op: OpFacts): Violation[] {
  if (!op.keyed) return [];
  const endOf = new Map(
    op.calls.map(({ seen, answer }) => [answer?.requestId, { call: seen.call, at: answer?.at ?? 0 }]),
  );
  const drivers = new Map<string, { readonly token: string; readonly until: number }>();
  const violations: Violation[] = [];
  for (const seen of op.store) {
    if (seen.method !== 'claim' || !isGranted(seen)) continue;
    const token = seen.ownerToken ?? '';
    const current = drivers.get(seen.process);
    const end = endOf.get(token);
    if (end === undefined || end.at < seen.at) continue; // its call is over: this takes a claim back whose answer was lost
    if (current !== undefined && current.token !== token && seen.at < current.until)
      violations.push({ id: 'I11', op: op.op, says: `${seen.process} drives it twice at ${seen.at}` });
    drivers.set(seen.process, { token, until: end.at });
  }
  return violations.concat(strayAborts(op));
}

/** I11: a caller who did not abort is never told that he did. */
function strayAborts(op: OpFacts): Violation[] {
  return op.calls
    .filter(({ answer, abortedAt }) => answer?.code === 'ABORTED' && abortedAt === undefined)
    .map(({ seen }) => ({ id: 'I11', op: op.op, says: `call ${seen.call} was told of an abort that was not its own` }));
}

/** DESIGN: after the dispatch of an unsafe tool nothing cancels it, unless a caller asked for that. */
function nothingCancelled(facts: Facts, op: OpFacts): Violation[] {
  if (modeOf(facts, op.tool) !== 'at-most-once' || op.calls.some(({ seen }) => seen.onAbort === 'cancel')) return [];
  return op.messages
    .filter(({ cancelledAt }) => cancelledAt !== undefined)
    .map(({ sent }) => ({ id: 'I1', op: op.op, says: `#${sent.message} was cancelled, and nobody had asked for it` }));
}

/** I4: what leaves, leaves under a lease that its owner has by all that he was told. */
function sendsAreLeased(facts: Facts, op: OpFacts): Violation[] {
  if (facts.history.plan.faults['clock.storeStep'] > 0) return [];
  return op.messages.flatMap(({ sent }) => {
    const own = op.store.filter((seen) => seen.ownerToken === sent.requestId && seen.at <= sent.at);
    const last = own.findLast((seen) => isGranted(seen) || seen.answer.startsWith('true'));
    if (last === undefined) return [];
    if (sent.at < last.at + (last.leaseMs ?? 0)) return [];
    return [{ id: 'I4', op: op.op, says: `#${sent.message} left at ${sent.at}, after its lease of ${last.at}` }];
  });
}
