/** Fills the one argument that a JSON pointer (RFC 6901) names, in a copy. */
import { McpTxError } from '../outcome/tx-error.ts';

type Tree = Readonly<Record<string, unknown>>;

/** The member names along a pointer; `undefined` when it is not a pointer to a member of an object. */
export function parsePointer(pointer: string): readonly string[] | undefined {
  if (!/^(\/([^~/]|~[01])+)+$/.test(pointer)) return undefined;
  const steps = pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return steps.includes('__proto__') ? undefined : steps;
}

/**
 * A copy of `args` with `value` at `pointer`; objects on the way are made.
 *
 * @throws McpTxError `CALL_INVALID` when the caller has put something there, or something that is no object on the way
 */
export function fillPointer(args: Tree, pointer: string, value: string): Tree {
  const steps = parsePointer(pointer);
  if (steps === undefined)
    throw new McpTxError('CONFIG_INVALID', `idempotencyArgument ${JSON.stringify(pointer)} is not a JSON pointer`);
  return fill(args, steps, 0, pointer, value);
}

function fill(tree: Tree, steps: readonly string[], at: number, pointer: string, value: string): Tree {
  const step = steps[at] as string;
  const present = Object.hasOwn(tree, step) ? tree[step] : undefined;
  const isLast = at === steps.length - 1;
  if (isLast && present !== undefined) {
    throw new McpTxError(
      'CALL_INVALID',
      `the argument ${pointer} is filled by MCP-Tx; pass the key as the option idempotencyKey`,
    );
  }
  if (isLast) return { ...tree, [step]: value };
  if (present !== undefined && (typeof present !== 'object' || present === null || Array.isArray(present))) {
    throw new McpTxError('CALL_INVALID', `the argument ${pointer} cannot be filled: ${step} is not an object`);
  }
  return { ...tree, [step]: fill((present ?? {}) as Tree, steps, at + 1, pointer, value) };
}
