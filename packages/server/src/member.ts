/** Reads one own member of anything that a peer may have sent. */

/** Own member of an object, or `undefined`. */
export function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
