/** Proves that an effect log can be shared by processes and counted by what the effect was about. */
import { expect, test } from 'vitest';
import { temporaryLog } from '../src/faulty-server/temporary-log.ts';
import type { Effect } from '../src/faulty-server.ts';
import { countEffects, openEffectLog, readEffectLog } from '../src/faulty-server.ts';

const effect = (args: Record<string, unknown>): Effect => ({
  effect: 'pay',
  args,
  receipt: 'r',
  at: 1,
  pid: 2,
  jsonRpcId: 3,
});

test('two writers share one log, and each sees the effects of the other', () => {
  const path = temporaryLog('shared.jsonl');
  using one = openEffectLog(path);
  using other = openEffectLog(path);
  one.append(effect({ orderId: 'a' }));
  other.append(effect({ orderId: 'b' }));
  expect(one.read()).toEqual(other.read());
  expect(readEffectLog(path).map(({ args }) => args.orderId)).toEqual(['a', 'b']);
});

test('effects are counted by an argument; calls without it do not count', () => {
  const effects = [{ orderId: 'a' }, { orderId: 'b' }, { orderId: 'a' }, { line: 'x' }].map(effect);
  expect(countEffects(effects, 'orderId')).toEqual(
    new Map([
      ['a', 2],
      ['b', 1],
    ]),
  );
});
