/** Turns tool results into plain objects: React refuses to carry anything with a prototype of its own to the browser. */

/** The same value with every tool result in it as a plain object, its `structured` view included. Everything else stays what it is. */
export function toPlain<T>(value: T): T {
  return plain(value, new Map()) as T;
}

/** `seen` keeps shared and circular references what they are. */
function plain(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    seen.set(value, copy);
    for (const item of value) copy.push(plain(item, seen));
    return copy;
  }
  const isResult = isToolResult(value);
  if (!isResult && !isPlain(value)) return value;
  const copy: Record<string, unknown> = {};
  seen.set(value, copy);
  const view = isResult ? [['structured', value.structured] as const] : [];
  for (const [name, member] of [...Object.entries(value), ...view]) {
    Object.defineProperty(copy, name, {
      value: plain(member, seen),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A result inherits its `structured` view; another copy of core has another prototype, so that this looks at what it has. */
function isToolResult(value: object): value is { readonly structured: unknown } {
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === 'object' && prototype !== null && Object.hasOwn(prototype, 'structured');
}
