/** Reads answers to frames of our own from a child process past the SDK's schemas: what they check is checked here, for less. */
import { member } from '../protocol/tx-meta.ts';
import { isObject } from './result-shape.ts';

/** What turns the bytes of a child's standard output into messages: `ReadBuffer` of SDK v1. */
interface MessageReader {
  append(chunk: Buffer): void;
  /** The next message; `null` until another line is complete. Throws what is wrong with a line, and goes on behind it. */
  readMessage(): object | null;
  clear(): void;
}

const NEWLINE = 0x0a;

/** What the SDK's schemas leave out of an object, for assigning it would obey it. */
const OBEYED = '__proto__';
/** Members of `_meta` that are not handed on as they are: to SDK v1 these have a meaning, and so a form. */
const CHECKED_META = ['progressToken', 'io.modelcontextprotocol/related-task', OBEYED] as const;

/**
 * Takes the place of the SDK's reader. Chunks that end with a line are read here; in them, lines that answer one of our frames with a
 * result. All else is left to the SDK's reader: other messages, lines in several pieces, lines that are no JSON, and what is too long.
 */
export class AnswerReader implements MessageReader {
  readonly #sdk: MessageReader;
  readonly #isOurs: (id: string) => boolean;
  /** Whole lines, from `#from` on unread. */
  #lines: Buffer | undefined = undefined;
  #from = 0;
  /** The SDK's reader holds nothing; of what it held before this one came, nobody knows. */
  #isSdkEmpty = false;
  /** The bytes that the SDK's reader was given last ended with a line. */
  #isAtLineEnd = false;

  constructor(sdk: MessageReader, isOurs: (id: string) => boolean) {
    this.#sdk = sdk;
    this.#isOurs = isOurs;
  }

  append(chunk: Buffer): void {
    const isWhole = chunk[chunk.length - 1] === NEWLINE;
    if (this.#isSdkEmpty && isWhole && this.#lines === undefined) {
      this.#lines = chunk;
      this.#from = 0;
      return;
    }
    if (this.#lines !== undefined) this.#sdk.append(this.#lines.subarray(this.#from));
    this.#lines = undefined;
    this.#isSdkEmpty = false;
    this.#isAtLineEnd = isWhole;
    this.#sdk.append(chunk);
  }

  readMessage(): object | null {
    if (this.#lines !== undefined) return this.#readLine(this.#lines);
    if (this.#isSdkEmpty) return null;
    const message = this.#sdk.readMessage();
    if (message === null) this.#isSdkEmpty = this.#isAtLineEnd;
    return message;
  }

  clear(): void {
    this.#lines = undefined;
    this.#isSdkEmpty = true;
    this.#sdk.clear();
  }

  #readLine(lines: Buffer): object | null {
    const from = this.#from;
    const end = lines.indexOf(NEWLINE, from);
    this.#from = end + 1;
    if (this.#from === lines.length) this.#lines = undefined;
    const message = jsonOf(lines.toString('utf8', from, end));
    if (isResult(message) && this.#isOurs(message.id)) return message;
    this.#sdk.append(lines.subarray(from, end + 1));
    return this.#sdk.readMessage();
  }
}

/** Has answers of ours read so, where a transport keeps its reader where SDK v1 does. Any other is left alone. */
export function readAnswers(transport: object, isOurs: (id: string) => boolean): void {
  const reader = member(transport, '_readBuffer') as MessageReader | undefined;
  const isReader = typeof reader?.append === 'function' && typeof reader.readMessage === 'function';
  if (!isReader || typeof reader.clear !== 'function') return;
  (transport as { _readBuffer: MessageReader })._readBuffer = new AnswerReader(reader, isOurs);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a message is what SDK v1's `JSONRPCResultResponseSchema` lets pass as it is, with a string as its id. */
function isResult(message: unknown): message is { readonly id: string } {
  if (typeof message !== 'object' || message === null) return false;
  for (const name in message) if (name !== 'jsonrpc' && name !== 'id' && name !== 'result') return false;
  const { jsonrpc, id, result } = message as Readonly<Record<string, unknown>>;
  if (jsonrpc !== '2.0' || typeof id !== 'string' || !isObject(result)) return false;
  return !Object.hasOwn(result, OBEYED) && isPlainMeta(member(result, '_meta'));
}

function isPlainMeta(meta: unknown): boolean {
  if (meta === undefined) return true;
  return isObject(meta) && CHECKED_META.every((name) => !Object.hasOwn(meta, name));
}
