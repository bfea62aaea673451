/** Parses JSON that has only one meaning: no duplicate members, no number that another parser would read differently. */

/** Why a text was refused. */
export class StrictJsonError extends Error {}

/**
 * The value of a JSON text. Refuses nesting deeper than `maxDepth`, two members of one name in one object (RFC 8259 section 4
 * leaves their meaning open), numbers that overflow, and whole numbers beyond 2^53 - 1.
 *
 * @throws {@link StrictJsonError}
 */
export function parseStrictJson(text: string, maxDepth: number): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StrictJsonError('it is not JSON');
  }
  checkTokens(text, maxDepth);
  return value;
}

/** An object's member names so far: nothing, the first one, or a set of several. `undefined` stands for an array. */
type Level = null | string | Set<string> | undefined;

function checkTokens(text: string, maxDepth: number): void {
  const levels: Level[] = [];
  let names: Level;
  let isName = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string;
    if (char === '"') {
      const end = endOfString(text, at);
      if (isName) names = withName(text.slice(at, end), names);
      isName = false;
      at = end - 1;
    } else if (char === '{' || char === '[') {
      if (levels.length >= maxDepth) throw new StrictJsonError(`it is nested deeper than ${maxDepth} levels`);
      levels.push(names);
      names = char === '{' ? null : undefined;
      isName = char === '{';
    } else if (char === '}' || char === ']') {
      names = levels.pop();
      isName = false;
    } else if (char === ',') isName = names !== undefined;
    else if (char === '-' || (char >= '0' && char <= '9')) at = checkNumber(text, at) - 1;
  }
}

/** Where a string that begins at `start` is over. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); ; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
}

function withName(token: string, names: Level): Level {
  const name = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
  if (names === null || names === undefined) return name;
  const several = typeof names === 'string' ? new Set([names]) : names;
  if (several.has(name)) throw new StrictJsonError(`it has two members ${JSON.stringify(name.slice(0, 40))}`);
  return several.add(name);
}

/** Looks at the number that begins at `start`, and says where it is over. */
function checkNumber(text: string, start: number): number {
  let end = start + 1;
  let isWhole = true;
  for (; /[\d.eE+-]/.test(text[end] ?? ''); end += 1) isWhole &&= !/[.eE]/.test(text[end] as string);
  const value = Number(text.slice(start, end));
  if (!Number.isFinite(value)) throw new StrictJsonError('it has a number that is too large');
  if (isWhole && !Number.isSafeInteger(value))
    throw new StrictJsonError('it has a whole number beyond 2^53 - 1; send it as a string');
  return end;
}
