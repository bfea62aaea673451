// Which flags a measured program takes, how they are read, and how --help shows them.
import { parseArgs } from 'node:util';

/** One flag of a program. `says` is its line in --help. */
export type Flag =
  | { readonly kind: 'switch'; readonly says: string }
  | { readonly kind: 'text'; readonly says: string; readonly default: string }
  | { readonly kind: 'choice'; readonly says: string; readonly default: string; readonly choices: readonly string[] }
  | {
      readonly kind: 'integer';
      readonly says: string;
      readonly default: number;
      readonly min?: number;
      readonly max?: number;
    };

/** The flags of a program, by name without dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** What a program gets to see: a value for each of its flags. */
export type FlagValues<F extends Flags> = {
  readonly [K in keyof F]: F[K] extends { kind: 'switch' }
    ? boolean
    : F[K] extends { kind: 'integer' }
      ? number
      : string;
};

/** The flags that every measured program takes. */
export interface CommonFlags {
  readonly json: boolean;
  readonly help: boolean;
  readonly seed: number;
}

/** A mistake of the person at the keyboard: shown with the usage, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const MAX_SEED = 2 ** 32 - 1;

/**
 * Reads argv. Unknown flags, positionals and values out of range are errors: a run with a misspelt flag would measure
 * something else than was asked for.
 *
 * @throws UsageError with a sentence for the person who typed it
 */
export function readFlags<F extends Flags>(
  argv: readonly string[],
  flags: F,
  seed: number,
): [CommonFlags, FlagValues<F>] {
  const all: Flags = { ...flags, ...commonFlags(seed) };
  const raw = parse(argv, all);
  const values = Object.fromEntries(
    Object.entries(all).map(([name, flag]) => [name, readValue(name, flag, raw[name])]),
  );
  const { json, help, seed: chosenSeed, ...own } = values;
  return [{ json, help, seed: chosenSeed } as unknown as CommonFlags, own as FlagValues<F>];
}

/** The text of --help. */
export function usage(command: string, about: string, flags: Flags): string {
  const rows = Object.entries({ ...flags, ...commonFlags() }).map(([name, flag]) => [
    `--${name}${hint(flag)}`,
    says(flag),
  ]);
  const width = Math.max(...rows.map(([left = '']) => left.length));
  const lines = rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}  ${right}`);
  return [`${command}: ${about}`, '', `Usage: ${command} [flags]`, '', ...lines].join('\n');
}

function commonFlags(seed?: number): Flags {
  return {
    seed: {
      kind: 'integer',
      says: 'the same seed makes the same choices',
      default: seed ?? Number.NaN,
      min: 0,
      max: MAX_SEED,
    },
    json: { kind: 'switch', says: 'the last line of stdout is one JSON object; all other text goes to stderr' },
    help: { kind: 'switch', says: 'show this text' },
  };
}

function parse(argv: readonly string[], flags: Flags): Readonly<Record<string, string | boolean | undefined>> {
  try {
    const options = Object.entries(flags).map(([name, { kind }]) => [
      name,
      { type: kind === 'switch' ? ('boolean' as const) : ('string' as const) },
    ]);
    return parseArgs({ args: [...argv], options: Object.fromEntries(options) }).values as Record<
      string,
      string | boolean
    >;
  } catch (error) {
    throw new UsageError(error instanceof Error ? firstSentence(error.message) : String(error));
  }
}

function readValue(name: string, flag: Flag, raw: string | boolean | undefined): string | number | boolean {
  if (flag.kind === 'switch') return raw === true;
  if (raw === undefined) return flag.default;
  const text = String(raw);
  if (flag.kind === 'text') return text;
  if (flag.kind === 'choice') {
    if (flag.choices.includes(text)) return text;
    throw new UsageError(`--${name} must be one of ${flag.choices.join(', ')}; it is "${text}"`);
  }
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = flag;
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  const range = flag.min === undefined && flag.max === undefined ? '' : ` from ${min} to ${max}`;
  throw new UsageError(`--${name} must be a whole number${range}; it is "${text}"`);
}

function hint(flag: Flag): string {
  if (flag.kind === 'switch') return '';
  if (flag.kind === 'choice') return ` <${flag.choices.join('|')}>`;
  return flag.kind === 'integer' ? ' <n>' : ' <text>';
}

function says(flag: Flag): string {
  if (flag.kind === 'switch' || Number.isNaN(flag.default)) return flag.says;
  return `${flag.says} (default ${flag.default})`;
}

function firstSentence(message: string): string {
  return message.split('. ')[0] ?? message;
}
