/** Tells a schema that costs little, whatever it is held against, from one that may be made to hang. */

/** Values that a schema may hold, with what it refers to in place, and still be called simple. Most hold fewer than a hundred. */
const SIMPLE_SIZE = 500;
/** The first goes by the square of what it is held against; where the others lead, or what lies below them, only the compiler knows. */
const UNBOUNDED: ReadonlySet<string> = new Set(['uniqueItems', '$dynamicRef', '$recursiveRef', '$id']);

/**
 * Whether a check looks at each part of a value a few hundred times at most. References are followed as often as a check would
 * follow them: those that double what they refer to, time after time, or lead back to themselves, are soon too many. Of a place
 * that goes by another name than its path only the compiler finds out what is there.
 */
export function isSimple(schema: object): boolean {
  return roomAfter(schema, schema, SIMPLE_SIZE) >= 0;
}

/** What is left of `room` when a part and all that it refers to has been counted; less than nothing when it does not fit. */
function roomAfter(part: unknown, root: object, room: number): number {
  let left = room - 1;
  if (typeof part !== 'object' || part === null) return left;
  for (const [name, value] of Object.entries(part)) {
    if (left < 0 || UNBOUNDED.has(name)) return -1;
    const isReference = name === '$ref' && typeof value === 'string';
    if (isReference && !/^#\/[\w/$]+$/.test(value)) return -1;
    left = roomAfter(isReference ? placeOf(value, root) : value, root, left);
  }
  return left;
}

function placeOf(path: string, root: object): unknown {
  return path
    .split('/')
    .slice(1)
    .reduce((at: unknown, step) => (at as Record<string, unknown> | undefined)?.[step], root);
}
