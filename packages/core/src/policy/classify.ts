/** Decides what an attempt's observations prove about its effect. One pure function; the table is in docs/guides/outcomes.md. */

import type { InDoubtReason } from '../outcome/outcome.ts';
import type { ServerError } from '../outcome/tx-error.ts';
import type { TxAck } from '../protocol/ack.ts';
import { readNack } from '../protocol/ack.ts';
import { EXTENSION_ID } from '../protocol/capability.ts';
import { member } from '../protocol/tx-meta.ts';
import type { Observation, ThrownFacts } from './observation.ts';

/**
 * `completed`: the tool ran and answered. `pending`: the server took it and goes on (a task, a request for input).
 * `not-sent`: no byte left. `rejected…`: the server refused before running. `unknown`: nobody can tell.
 * `executed-unusable`: it ran, and what it answered cannot be used.
 */
export type AttemptClass =
  | 'completed'
  | 'pending'
  | 'not-sent'
  | 'rejected'
  | 'rejected-auth'
  | 'rejected-session'
  | 'rejected-busy'
  | 'unknown'
  | 'executed-unusable';

/** The verdict on one attempt. */
export interface Classification {
  readonly class: AttemptClass;
  /** In words, for messages and logs. */
  readonly says: string;
  /** For `unknown` and `pending`: the reason if it stays so. */
  readonly doubt?: InDoubtReason;
  readonly serverError?: ServerError;
  readonly retryAfterMs?: number;
  /** Of `unknown`: the server says that it runs the operation, and will have its answer. */
  readonly isUnderWay?: true;
  readonly taskId?: string;
  /** The fault is the server's (or the way to it): it feeds the breaker. */
  readonly serverFault: boolean;
}

/** What the user says about a server, where the protocol leaves it open. */
export interface ServerRules {
  /** The server's own words (-32602, -32600, tool annotations) are believed. */
  readonly trusted: boolean;
  /** 429 means that nothing ran. */
  readonly busyMeansNotRun: boolean;
  /** 503 with Retry-After means that nothing ran. */
  readonly unavailableMeansNotRun: boolean;
}

/** Errors of name resolution, connecting and TLS: they end before a request can leave. */
const NOT_SENT_CAUSES: readonly RegExp[] = [
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ENOENT|EACCES|UND_ERR_CONNECT_TIMEOUT|ERR_BAD_PORT|ERR_INVALID_URL)$/,
  // Of TLS only what ends a handshake: a record that breaks later may follow a request that was served.
  /^(ERR_SSL_(WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|HTTP_REQUEST|NO_PROTOCOLS_AVAILABLE|SSLV3_ALERT_HANDSHAKE_FAILURE|TLSV1_ALERT_PROTOCOL_VERSION|TLSV1_UNRECOGNIZED_NAME)|ERR_TLS_CERT_ALTNAME_INVALID|CERT_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)$/,
];
const NOT_SENT_CODES: ReadonlySet<unknown> = new Set([
  'ENOENT',
  'EACCES',
  'CONNECTION_FAILED', // our own
  'ERA_NEGOTIATION_FAILED',
  'METHOD_NOT_SUPPORTED_BY_PROTOCOL_VERSION',
]);
const REJECTED_STATUS: ReadonlySet<number> = new Set([400, 404, 405, 406, 413, 415, 422, 431]);
/** Parse error, method not found, and the three of MCP 2026-07-28 that precede execution. */
const REJECTED_CODES: ReadonlySet<number> = new Set([-32_700, -32_601, -32_020, -32_021, -32_022]);
/** Invalid request, invalid params: also thrown by handlers half-way, so they prove something only from a trusted server. */
const REJECTED_IF_TRUSTED: ReadonlySet<number> = new Set([-32_600, -32_602]);
/** How SDK servers begin the -32602 that they answer after the tool ran and its result failed their own check. */
const RESULT_CHECK_FAILED = 'Invalid tools/call result';

const COMPLETED: Classification = { class: 'completed', says: 'the tool ran and answered', serverFault: false };

/**
 * Judges one attempt at the operation. The order matters: what contradicts itself proves nothing, and proof that the tool ran comes
 * before everything that merely looks like failure.
 */
export function classify(seen: Observation, rules: ServerRules, operationId?: string): Classification {
  const last = contradiction(seen, operationId) ?? classifyLastLeg(seen, rules);
  if (seen.laterLeg !== true || !SAYS_NOTHING_RAN.has(last.class)) return last;
  return unknown(
    'connection-lost',
    `an earlier leg of this call was answered, and then: ${last.says}`,
    last.serverFault,
  );
}

/** The answer's block names another operation, or says the opposite of what it stands in: nothing may be concluded from it. */
function contradiction(seen: Observation, operationId: string | undefined): Classification | undefined {
  const isError = seen.frame === 'error';
  const answer = isError ? seen.errorFrame?.data : member(seen.rawResult ?? seen.result, '_meta');
  const block = member(answer, EXTENSION_ID);
  if (block === undefined) return undefined;
  const named = member(block, 'operationId');
  if (operationId !== undefined && named !== undefined && named !== operationId)
    return unknown('server-error', 'the server answered for another operation');
  const isOpposite = isError
    ? member(block, 'ack') === true
    : member(block, 'ack') === false || member(block, 'processed') === false;
  return isOpposite ? unknown('server-error', 'the server’s acknowledgement contradicts its answer') : undefined;
}

const SAYS_NOTHING_RAN: ReadonlySet<AttemptClass> = new Set([
  'not-sent',
  'rejected',
  'rejected-auth',
  'rejected-session',
  'rejected-busy',
]);

function classifyLastLeg(seen: Observation, rules: ServerRules): Classification {
  if (seen.result !== undefined) return classifyResult(seen.result, seen.rawResult);
  if (seen.frame === 'result') {
    const pending = seen.rawResult === undefined ? undefined : classifyPending(seen.rawResult);
    if (pending !== undefined) return pending;
    return verdict(
      'executed-unusable',
      `the server answered, but the answer is unusable: ${seen.thrown?.message ?? 'malformed'}`,
    );
  }
  if (seen.frame === 'error' && seen.errorFrame !== undefined) return classifyErrorFrame(seen, rules);
  if (!seen.dispatched) return classifyUnsent(seen);
  if (seen.status !== undefined && (seen.status < 200 || seen.status > 299))
    return classifyStatus(seen, seen.status, rules);
  if (seen.cancelled === true) return unknown('aborted', 'the send was cancelled', false);
  if (seen.lost === true)
    return unknown('connection-lost', seen.thrown?.message ?? 'the connection ended before the answer came');
  return classifyThrown(seen);
}

function classifyResult(result: object, raw: object | undefined): Classification {
  const source = raw ?? result;
  const pending = classifyPending(source);
  if (pending !== undefined) return pending;
  const resultType = member(source, 'resultType');
  if (resultType !== undefined && resultType !== 'complete') {
    return verdict(
      'executed-unusable',
      `the server answered with the unknown resultType ${JSON.stringify(resultType)}`,
    );
  }
  if (raw !== undefined && !Array.isArray(member(raw, 'content')) && member(raw, 'structuredContent') === undefined) {
    return verdict('executed-unusable', 'the server’s result has neither content nor structuredContent');
  }
  return COMPLETED;
}

/** A result that is no end: the server goes on, or wants to be asked again. */
function classifyPending(source: object): Classification | undefined {
  const task = member(source, 'task');
  const resultType = member(source, 'resultType');
  if (task !== undefined || resultType === 'task') {
    const taskId = member(task ?? source, 'taskId');
    return verdict('pending', 'the server answered with a task that goes on', {
      doubt: 'remote-task',
      ...(typeof taskId === 'string' ? { taskId } : {}),
    });
  }
  if (resultType === 'input_required') {
    return verdict('pending', 'the server asked for input that this client did not give', { doubt: 'input-required' });
  }
  return undefined;
}

function classifyErrorFrame(seen: Observation, rules: ServerRules): Classification {
  const { code, message, data } = seen.errorFrame as NonNullable<Observation['errorFrame']>;
  const serverError: ServerError = { code, message, ...(data === undefined ? {} : { data }) };
  const nack = readNack(data);
  if (nack !== undefined) return classifyNack(nack, serverError);
  if (REJECTED_CODES.has(code)) return verdict('rejected', `the server refused the call: ${message}`, { serverError });
  if (REJECTED_IF_TRUSTED.has(code) && rules.trusted && !message.startsWith(RESULT_CHECK_FAILED)) {
    return verdict('rejected', `the server refused the call: ${message}`, { serverError });
  }
  if (seen.status !== undefined && (seen.status < 200 || seen.status > 299))
    return classifyStatus(seen, seen.status, rules);
  return { ...unknown('server-error', `the server answered with error ${code}: ${message}`), serverError };
}

function classifyNack({ processed, reason, retryAfterMs }: TxAck, serverError: ServerError): Classification {
  if (reason === 'in-progress') {
    const pace = retryAfterMs === undefined ? {} : { retryAfterMs };
    const says = 'the server is running this operation already';
    return { ...unknown('server-error', says, false), serverError, isUnderWay: true, ...pace };
  }
  if (reason === 'in-doubt' || processed) {
    return { ...unknown('server-in-doubt', 'the server does not know whether the operation ran', false), serverError };
  }
  return verdict('rejected', `the server refused the operation: ${serverError.message}`, { serverError });
}

function classifyStatus(seen: Observation, status: number, rules: ServerRules): Classification {
  const retryAfterMs = seen.retryAfterMs;
  const more = {
    serverError: { status, message: seen.errorFrame?.message ?? seen.thrown?.message ?? `HTTP ${status}` },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  const says = `the server answered HTTP ${status}`;
  if (status === 401 || status === 403) return verdict('rejected-auth', says, more);
  if (status === 404 && seen.hadSession === true)
    return verdict('rejected-session', `${says}: the session has expired`, more);
  if (status === 429 && rules.busyMeansNotRun) return verdict('rejected-busy', says, more);
  if (status === 503 && retryAfterMs !== undefined && rules.unavailableMeansNotRun) {
    return verdict('rejected-busy', says, { ...more, serverFault: true });
  }
  if (REJECTED_STATUS.has(status) || (status >= 300 && status <= 399)) return verdict('rejected', says, more);
  return { ...unknown('server-error', says), ...more };
}

function classifyThrown(seen: Observation): Classification {
  const thrown = seen.thrown;
  if (thrown === undefined) return unknown('timeout', 'no answer came');
  const { message } = thrown;
  if (message === 'Not connected' || NOT_SENT_CODES.has(thrown.code))
    return verdict('not-sent', message, { serverFault: true });
  if (thrown.causeCode !== undefined && NOT_SENT_CAUSES.some((pattern) => pattern.test(thrown.causeCode as string))) {
    return verdict('not-sent', `${message} (${thrown.causeCode})`, { serverFault: true });
  }
  if (isUnusableAnswer(thrown)) return verdict('executed-unusable', `the server’s answer is unusable: ${message}`);
  return unknown(isTimeout(thrown.code) ? 'timeout' : 'connection-lost', message);
}

/** Nothing left this machine. What the SDK refuses by itself, it will refuse again. */
function classifyUnsent({ thrown }: Observation): Classification {
  const says = thrown?.message ?? 'nothing was sent';
  if (typeof thrown?.code === 'number' && REJECTED_IF_TRUSTED.has(thrown.code)) return verdict('rejected', says);
  return verdict('not-sent', says, { serverFault: thrown?.name !== 'AbortError' });
}

/** An answer came and could not be parsed: the SDKs' schema errors, and a body that claims to be JSON and is not. */
function isUnusableAnswer({ name, code }: ThrownFacts): boolean {
  return /^\$?ZodError$|^SyntaxError$/.test(name) || code === 'INVALID_RESULT' || code === 'UNSUPPORTED_RESULT_TYPE';
}

function isTimeout(code: string | number | undefined): boolean {
  return code === 'REQUEST_TIMEOUT' || code === -32_001;
}

function unknown(doubt: InDoubtReason, says: string, serverFault = true): Classification {
  return { class: 'unknown', says, doubt, serverFault };
}

function verdict(of: AttemptClass, says: string, more: Partial<Classification> = {}): Classification {
  return { class: of, says, serverFault: false, ...more };
}
