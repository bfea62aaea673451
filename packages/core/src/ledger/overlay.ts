/** Puts methods before those of a ledger, and leaves everything else as it is: the parts that it has, and that it has no others. */

/** `methods` that the ledger itself does not have stay absent. */
export function overlay<Given extends object>(ledger: Given, methods: object): Given {
  const own: ReadonlyMap<string | symbol, unknown> = new Map(Object.entries(methods));
  const passed = new Map<string | symbol, unknown>();
  return new Proxy(ledger, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method = own.get(name);
      if (method !== undefined) return method;
      if (!passed.has(name)) passed.set(name, value.bind(target));
      return passed.get(name);
    },
  });
}
