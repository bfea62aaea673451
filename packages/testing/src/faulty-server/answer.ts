/** Owns the shape of an answer before it becomes bytes: a result or a JSON-RPC error. */

/** What a server answers to one request. */
export type Answer = { readonly result: Record<string, unknown> } | { readonly error: AnswerError };

/** A JSON-RPC error object. */
interface AnswerError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** A result of one text block. */
export function textResult(value: unknown, more: Record<string, unknown> = {}): Answer {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { result: { content: [{ type: 'text', text }], ...more } };
}

/** A JSON-RPC error. */
export function errorAnswer(code: number, message: string, data?: unknown): Answer {
  return { error: { code, message, ...(data === undefined ? {} : { data }) } };
}

/** The answer as the JSON-RPC message that goes on the wire. */
export function toMessage(id: string | number, answer: Answer): Record<string, unknown> {
  return { jsonrpc: '2.0', id, ...answer };
}
