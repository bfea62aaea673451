/** Decides how long a request may take: what the client asks for, under the server's maximum. */
import { HttpError } from './http-error.ts';
import type { HeaderSource } from './http-message.ts';
import { headerOf } from './http-message.ts';

/** Bounds of a request's deadline. */
export interface DeadlineSettings {
  /** Deadline of a request that asks for none, ms. Default: what the instance and the tool's rule say. */
  readonly defaultMs?: number;
  /** The longest that a client may ask for, ms. Default 120,000. */
  readonly maxMs?: number;
}

/** What the client prefers (RFC 7240). */
export interface Preferences {
  /** `respond-async`: answer before the work is done. */
  readonly respondAsync: boolean;
  /** `wait`, ms. */
  readonly waitMs?: number;
}

const NONE: Preferences = { respondAsync: false };
const DEFAULT_MAX_MS = 120_000;

/** What `Prefer` says. What cannot be understood is no preference (RFC 7240 section 2). */
export function preferencesOf(headers: HeaderSource): Preferences {
  const header = headerOf(headers, 'prefer');
  if (header === undefined) return NONE;
  const items = header.split(',').map((item) => (item.split(';')[0] ?? '').trim().toLowerCase());
  const wait = items
    .map((item) => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(item)?.[1])
    .find((seconds) => seconds !== undefined);
  const respondAsync = items.includes('respond-async');
  return wait === undefined ? { respondAsync } : { respondAsync, waitMs: Number(wait) * 1_000 };
}

/**
 * The deadline of a request, ms; `undefined` leaves it to the instance. The earliest of what is asked for counts.
 *
 * @throws HttpError `REQUEST_INVALID` for a `MCP-Tx-Timeout-Ms` that is no positive whole number
 */
export function timeoutOf(
  headers: HeaderSource,
  preferences: Preferences,
  { defaultMs, maxMs = DEFAULT_MAX_MS }: DeadlineSettings,
): number | undefined {
  const waitMs = preferences.respondAsync ? undefined : preferences.waitMs; // then it says how long to wait for more than a 202
  const header = headerOf(headers, 'mcp-tx-timeout-ms');
  if (header !== undefined && !/^[1-9]\d{0,9}$/.test(header))
    throw new HttpError('REQUEST_INVALID', 'MCP-Tx-Timeout-Ms must be a whole number of milliseconds, 1 or more');
  if (header === undefined && waitMs === undefined)
    return defaultMs === undefined ? undefined : Math.min(defaultMs, maxMs);
  const asked = [header === undefined ? undefined : Number(header), waitMs].filter((ms) => ms !== undefined);
  return Math.max(1, Math.min(...asked, maxMs));
}
