/** A send that did not take place. */
import type { Sending } from '../engine/tool-caller.ts';

/** Reports at once that no byte left, and why. */
export function unsent(message: string): Sending {
  const seen = { tapped: true, dispatched: false, thrown: { name: 'Error', message } };
  return { ended: Promise.resolve(seen), cancel: () => undefined, forget: () => undefined, isDead: () => true };
}
