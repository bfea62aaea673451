/** Proves which call meets which step of a script, and that a wrong script is refused in words. */
import { expect, test } from 'vitest';
import { placeSteps } from '../src/faulty-server/script.ts';
import { createScriptCursor } from '../src/faulty-server/script-cursor.ts';
import { temporaryLog } from '../src/faulty-server/temporary-log.ts';
import type { Script } from '../src/faulty-server.ts';

/** Which step each of these calls meets. */
function play(script: Script, calls: readonly string[], state?: string): (number | undefined)[] {
  const cursor = createScriptCursor(placeSteps(script, 'stdio'), state);
  return calls.map((tool) => cursor.next(tool)?.step.index);
}

test('the k-th step of a tool meets its k-th call', () => {
  const script: Script = [
    { tool: 'pay', fault: 'drop-request' },
    { tool: 'echo', fault: 'drop-request' },
    { tool: 'pay', fault: 'none' },
    { tool: 'pay', fault: 'drop-response' },
  ];
  expect(play(script, ['pay', 'pay', 'echo', 'pay', 'pay', 'echo'])).toEqual([0, 2, 1, 3, undefined, undefined]);
});

test('a step without a tool counts all calls', () => {
  expect(play([{ at: 3, fault: 'garbage' }], ['a', 'b', 'c', 'c'])).toEqual([undefined, undefined, 0, undefined]);
});

test('every:N and all repeat; the first of several steps wins', () => {
  const script: Script = [
    { at: 'every:2', fault: 'garbage' },
    { tool: 'b', at: 'all', fault: 'wrong-id' },
  ];
  expect(play(script, ['a', 'b', 'b', 'b', 'a'])).toEqual([undefined, 0, 1, 0, undefined]);
});

test('with a state file the counting goes on after a restart', () => {
  const state = temporaryLog('state.json');
  const script: Script = [{ tool: 'pay', at: 2, fault: 'exit-before' }];
  expect(play(script, ['pay'], state)).toEqual([undefined]);
  expect(play(script, ['pay'], state)).toEqual([0]);
  expect(play(script, ['pay'], state)).toEqual([undefined]);
});

test.for<{ step: unknown; says: string }>([
  { step: { fault: 'drop-everything' }, says: 'step 0: there is no fault "drop-everything"' },
  { step: {}, says: 'step 0: there is no fault undefined' },
  { step: { fault: 'reset' }, says: 'step 0: reset is for http' },
  { step: { fault: 'delay' }, says: 'step 0: delay needs ms' },
  { step: { fault: { kind: 'drop-request', when: 'after' } }, says: 'step 0: drop-request takes no "when"' },
  { step: { at: 0, fault: 'garbage' }, says: 'at is a call number, "every:N" or "all", not 0' },
  { step: { at: 'every:x', fault: 'garbage' }, says: 'not "every:x"' },
])('$says', ({ step, says }) => {
  expect(() => placeSteps([step] as Script, 'stdio')).toThrow(says);
});

test('a script is an array', () => {
  expect(() => placeSteps({} as Script, 'http')).toThrow('a fault script is an array of steps');
});
