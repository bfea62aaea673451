/** Writes a JSON answer with the headers that every answer has. */
import type { KernelResponse } from './http-message.ts';

/** A response that no cache keeps and no browser takes for anything else. */
export function jsonResponse(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): KernelResponse {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
    body: JSON.stringify(value),
  };
}
