/** Reads a request's body within its limits of size, time and form, and takes the tool's arguments out of it. */
import { isUtf8 } from 'node:buffer';
import type { Clock } from '../runtime/clock.ts';
import type { Deadlines } from '../runtime/deadlines.ts';
import { HttpError } from './http-error.ts';
import type { KernelBody, KernelRequest } from './http-message.ts';
import { headerOf } from './http-message.ts';
import { parseStrictJson, StrictJsonError } from './strict-json.ts';

/** Bounds of a body. */
export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly maxDepth: number;
  readonly bodyTimeoutMs: number;
}

/** What keeps the time of bodies: all of them have equally long, so one timer does for all. */
export interface BodyTime {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
}

/**
 * The arguments of `{ "arguments": { … } }`; none for no body at all.
 *
 * @throws HttpError `MEDIA_TYPE_UNSUPPORTED`, `BODY_TOO_LARGE`, `BODY_TIMEOUT`, `BODY_INVALID`
 */
export async function readArguments(
  request: KernelRequest,
  limits: BodyLimits,
  time: BodyTime,
): Promise<Readonly<Record<string, unknown>>> {
  const { body } = request;
  const declared = Number(headerOf(request.headers, 'content-length') ?? 0);
  if (declared > limits.maxBodyBytes) throw tooLarge(limits);
  checkMediaType(headerOf(request.headers, 'content-type'), headerOf(request.headers, 'content-encoding'));
  if (isParsed(body)) return argumentsOf(body.parsed);
  const text = await textOf(body, limits, time);
  if (text === '') return {};
  if (headerOf(request.headers, 'content-type') === undefined) throw new HttpError('MEDIA_TYPE_UNSUPPORTED');
  try {
    return argumentsOf(parseStrictJson(text, limits.maxDepth + 1));
  } catch (error) {
    if (error instanceof StrictJsonError) throw invalid(error.message);
    throw error;
  }
}

function isParsed(body: KernelRequest['body']): body is { readonly parsed: unknown } {
  return typeof body === 'object' && body !== null && 'parsed' in body;
}

const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;

function checkMediaType(type: string | undefined, encoding: string | undefined): void {
  if (type !== undefined && !JSON_TYPE.test(type)) throw new HttpError('MEDIA_TYPE_UNSUPPORTED');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw new HttpError('MEDIA_TYPE_UNSUPPORTED');
}

async function textOf(body: KernelBody | null | undefined, limits: BodyLimits, time: BodyTime): Promise<string> {
  if (body === null || body === undefined) return '';
  if (typeof body === 'string') {
    if (Buffer.byteLength(body) > limits.maxBodyBytes) throw tooLarge(limits);
    if (!body.isWellFormed()) throw invalid('it is not UTF-8');
    return body;
  }
  if (body instanceof Uint8Array) return decode([body], body.byteLength, limits);
  const { chunks, size } = await collect(body as AsyncIterable<Uint8Array>, limits, time);
  return decode(chunks, size, limits);
}

interface Collected {
  readonly chunks: readonly Uint8Array[];
  readonly size: number;
}

/** Reads until the end, the limit, or the time is over. Then the stream is left alone: the answer may still go out. */
function collect(body: AsyncIterable<Uint8Array>, limits: BodyLimits, time: BodyTime): Promise<Collected> {
  return new Promise((resolve, reject) => {
    const reading = { isOver: false };
    const end = (): void => {
      reading.isOver = true;
      deadline.cancel();
    };
    const fail = (error: unknown): void => {
      end();
      reject(error instanceof HttpError ? error : invalid('it broke off', error));
    };
    const wake = (): void => fail(new HttpError('BODY_TIMEOUT', undefined, { headers: { connection: 'close' } }));
    const { bodyTimeoutMs } = limits;
    const deadline = time.deadlines.add(time.clock.monotonic() + bodyTimeoutMs, bodyTimeoutMs, { wake });
    readAll(body, limits, reading).then((collected) => {
      end();
      resolve(collected);
    }, fail);
  });
}

async function readAll(
  body: AsyncIterable<Uint8Array>,
  limits: BodyLimits,
  reading: { readonly isOver: boolean },
): Promise<Collected> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await reader.next();
    if (next.done === true || reading.isOver) return { chunks, size };
    size += next.value.byteLength;
    if (size > limits.maxBodyBytes) throw tooLarge(limits);
    chunks.push(next.value);
  }
}

function decode(chunks: readonly Uint8Array[], size: number, limits: BodyLimits): string {
  if (size > limits.maxBodyBytes) throw tooLarge(limits);
  const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size);
  if (!isUtf8(bytes)) throw invalid('it is not UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'); // a byte order mark stays, and is no JSON
}

function argumentsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw invalid('it must be an object: { "arguments": { … } }');
  for (const name of Object.keys(value)) {
    if (name !== 'arguments')
      throw invalid(`its member ${JSON.stringify(name.slice(0, 40))} is not known; it has only "arguments"`);
  }
  if (!Object.hasOwn(value, 'arguments')) return {};
  const args = value['arguments'];
  if (!isObject(args)) throw invalid('its member "arguments" must be an object');
  return args;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tooLarge(limits: BodyLimits): HttpError {
  return new HttpError('BODY_TOO_LARGE', `the body is larger than ${limits.maxBodyBytes} bytes`);
}

function invalid(problem: string, cause?: unknown): HttpError {
  return new HttpError('BODY_INVALID', `the body cannot be used: ${problem}`, cause === undefined ? {} : { cause });
}
