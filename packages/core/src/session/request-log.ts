/** Writes what happens to a logger in pino's shape: always what needs attention, every call on demand, never a secret. */
import type { CallEvents, EventHub } from '../engine/call-events.ts';

/** `pino()`, `console`-like wrappers, and everything else that takes an object and a message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Whether to log every call; with `arguments`, also what it was called with, secrets blotted out. */
export type LogRequests = boolean | { readonly arguments?: boolean; readonly redact?: readonly string[] };

const SECRETS =
  /pass(word|phrase)?|secret|token|api[-_]?key|authori[sz]ation|credential|cookie|private[-_]?key|card|cvc|cvv|iban|ssn/i;
const MAX_SHOWN_DEPTH = 4;

/** A copy of arguments fit for a log: members with telling names are blotted out, depth and lengths are cut. */
export function redact(value: unknown, names: readonly string[] = [], depth = 0): unknown {
  if (typeof value === 'string')
    return value.length > 200 ? `${value.slice(0, 200)}… (${value.length} characters)` : value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_SHOWN_DEPTH) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, 20).map((item) => redact(item, names, depth + 1));
  const shown = Object.entries(value)
    .slice(0, 50)
    .map(([key, member]) => [
      key,
      SECRETS.test(key) || names.includes(key) ? '[redacted]' : redact(member, names, depth + 1),
    ]);
  return Object.fromEntries(shown);
}

/** Listens to an instance's events for as long as it lives. */
export function logEvents(events: EventHub, logger: Logger, server: string, requests: LogRequests): void {
  const attention = (name: keyof CallEvents, level: 'warn' | 'error', message: string): void => {
    events.on(name, (event) => logger[level]({ ...plain(event), server, event: name }, message));
  };
  attention('call.detached', 'warn', 'the caller stopped waiting for a send that is unanswered');
  attention('operation.contradicted', 'error', 'a late answer contradicts an earlier resolution');
  attention('lease.lost', 'warn', 'another owner took the operation over');
  attention('ledger.delayed', 'warn', 'the ledger did not take a write; it is being repeated');
  attention('breaker.changed', 'warn', 'the circuit breaker changed its state');
  attention('hook.failed', 'error', 'a listener or probe threw');
  events.on('operation.settled', (event) => {
    if (event.outcome === 'in_doubt')
      logger.warn({ ...event, server, event: 'operation.settled' }, 'an operation is in doubt');
  });
  if (requests === false) return;
  const each = (name: keyof CallEvents, message: string): void => {
    events.on(name, (event) => logger.debug({ ...plain(event), server, event: name }, message));
  };
  each('attempt.sent', 'sent');
  each('attempt.ended', 'an attempt ended');
  each('retry.scheduled', 'will send again');
  const showsArguments = typeof requests === 'object' && requests.arguments === true;
  events.on('call.started', ({ arguments: args, ...event }) => {
    const shown = showsArguments ? { arguments: redact(args, requests.redact) } : {};
    logger.info({ ...event, ...shown, server, event: 'call.started' }, 'call');
  });
  events.on('call.ended', (event) =>
    logger.info({ ...event, server, event: 'call.ended' }, event.ok ? 'call completed' : 'call failed'),
  );
}

/** Without what may repeat a secret: a server's own words, and all of an error but its code and message. */
function plain(event: object): object {
  const { error, says: _says, ...rest } = event as { readonly error?: unknown; readonly says?: unknown };
  if (error === undefined) return rest;
  const { code, message } = (
    typeof error === 'object' && error !== null ? error : { message: String(error) }
  ) as Record<string, unknown>;
  return { ...rest, error: { code, message } };
}
