/** Decides what is JSON that two machines agree on, and writes it in the one canonical form of RFC 8785. */
import canonicalize from 'canonicalize';

/** Bounds of what is accepted. */
export interface JsonLimits {
  /** Deepest nesting of arrays and objects. */
  readonly maxDepth: number;
  /** Longest canonical text, in UTF-16 code units. */
  readonly maxLength: number;
}

/** Why a value was refused, and where in it (`$.items[3].price`). */
export interface JsonDefect {
  readonly path: string;
  readonly problem: string;
}

/** Thrown by {@link canonicalJson}; the caller turns it into an error of its own. */
export class JsonDefectError extends Error {
  readonly defect: JsonDefect;
  constructor(defect: JsonDefect) {
    super(`${defect.path}: ${defect.problem}`);
    this.defect = defect;
  }
}

/**
 * The RFC 8785 form of `value`. `undefined` members of objects count as absent, as `JSON.stringify` has it.
 *
 * One walk refuses what would not survive the wire: cycles, excess depth, BigInt, functions, symbols, NaN and infinities,
 * integers beyond 2^53 - 1 (another parser merges them), lone surrogates, holes, class instances. The same walk sees whether
 * every object's members already stand in RFC 8785 order; then the native writer's output *is* the canonical form.
 *
 * @throws {@link JsonDefectError}
 */
export function canonicalJson(value: unknown, limits: JsonLimits): string {
  const walk: Walk = { limits, nodesLeft: limits.maxLength, sorted: true, path: [], step: undefined };
  visit(value, walk, 0);
  const text = walk.sorted ? JSON.stringify(value) : canonicalize(value);
  if (text === undefined) refuse(walk, 'is not JSON');
  if (text.length > limits.maxLength) refuse(walk, `is longer than ${limits.maxLength} characters as JSON`);
  return text;
}

/**
 * The same check without the text: how long it is at least. For values that are sent and never compared.
 *
 * @throws {@link JsonDefectError}
 */
export function checkJson(value: unknown, limits: JsonLimits): number {
  const walk: Walk = { limits, nodesLeft: limits.maxLength, sorted: true, path: [], step: undefined };
  visit(value, walk, 0);
  if (walk.nodesLeft < 0) refuse(walk, `is longer than ${limits.maxLength} characters as JSON`);
  return limits.maxLength - walk.nodesLeft;
}

interface Walk {
  readonly limits: JsonLimits;
  nodesLeft: number; // room left: every node takes at least one character of the text, and a string all of its own
  sorted: boolean;
  readonly path: (string | number)[]; // the way to the array or object that is being looked at
  step: string | number | undefined; // the member of it; nothing at the top
}

function visit(value: unknown, walk: Walk, depth: number): void {
  walk.nodesLeft -= 1;
  if (walk.nodesLeft < 0) refuse(walk, `has more than ${walk.limits.maxLength} values`);
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) refuse(walk, 'has a lone surrogate, which UTF-8 cannot carry');
      walk.nodesLeft -= value.length;
      return;
    case 'number':
      visitNumber(value, walk);
      return;
    case 'boolean':
      return;
    case 'object':
      if (value === null) return;
      if (depth >= walk.limits.maxDepth) refuse(walk, `is cyclic or nested deeper than ${walk.limits.maxDepth} levels`);
      if (Array.isArray(value)) visitArray(value, walk, depth);
      else visitObject(value as Record<string, unknown>, walk, depth);
      return;
    default:
      refuse(walk, `is ${value === undefined ? 'undefined' : `a ${typeof value}`}, which JSON cannot say`);
  }
}

function visitNumber(value: number, walk: Walk): void {
  if (!Number.isFinite(value)) refuse(walk, `is ${value}, which JSON cannot say`);
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21) {
    refuse(walk, `is an integer beyond 2^53 - 1; send it as a string (RFC 8785 section 3.2.2.3)`);
  }
}

function visitArray(value: readonly unknown[], walk: Walk, depth: number): void {
  if (value.length > walk.nodesLeft) refuse(walk, `has more than ${walk.limits.maxLength} values`);
  enter(walk);
  for (let i = 0; i < value.length; i += 1) {
    walk.step = i;
    visit(value[i], walk, depth + 1);
  }
  leave(walk);
}

function visitObject(value: Record<string, unknown>, walk: Walk, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    refuse(walk, `is a ${value.constructor?.name ?? 'class instance'}, not a plain object`);
  }
  enter(walk);
  let previous: string | undefined;
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) continue;
    if (previous !== undefined && previous > key) walk.sorted = false;
    previous = key;
    walk.step = key;
    if (!key.isWellFormed()) refuse(walk, 'has a lone surrogate in its name');
    visit(member, walk, depth + 1);
  }
  leave(walk);
}

function enter(walk: Walk): void {
  if (walk.step !== undefined) walk.path.push(walk.step);
  walk.step = undefined;
}

function leave(walk: Walk): void {
  walk.step = walk.path.pop();
}

function refuse(walk: Walk, problem: string): never {
  const path = walk.step === undefined ? walk.path : [...walk.path, walk.step];
  const shown = path.slice(0, 8).map((step) => (typeof step === 'number' ? `[${step}]` : `.${step.slice(0, 40)}`));
  throw new JsonDefectError({ path: `$${shown.join('')}${path.length > 8 ? '…' : ''}`, problem });
}
