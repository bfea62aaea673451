/** Reads and writes the headers that a job carries from queue to queue, and why it was put aside. */
import type { JobProblem } from '@mcp-tx/core/job';
import { isProblem } from '@mcp-tx/core/job';
import type { Message, MessagePropertyHeaders } from 'amqplib';

/** What a job’s headers say of its way so far. */
export interface Travel {
  /** How often it came back without having run. */
  readonly returns: number;
  /** It is not to be run before, epoch ms. */
  readonly notBefore: number;
}

const RETURNS = 'x-mcp-tx-returns';
const NOT_BEFORE = 'x-mcp-tx-not-before';
const REASON = 'x-mcp-tx-reason';
const PROBLEM = 'x-mcp-tx-problem';

/** The broker’s own, which it writes anew, and ours. */
const DROPPED = /^x-(death|first-death-|last-death-|delivery-count|mcp-tx-)/;

/** What the headers say; what cannot be read counts for nothing. */
export function travelOf({ properties: { headers } }: Message): Travel {
  return { returns: wholeNumber(headers?.[RETURNS]), notBefore: wholeNumber(headers?.[NOT_BEFORE]) };
}

/** The headers of a job that waits. */
export function waitingHeaders(message: Message, { returns, notBefore }: Travel): MessagePropertyHeaders {
  return { ...foreignHeaders(message), [RETURNS]: returns, [NOT_BEFORE]: notBefore };
}

/** The headers of a job that is put aside: the code for people, the whole for programs. */
export function deadHeaders(message: Message, problem: JobProblem): MessagePropertyHeaders {
  return { ...foreignHeaders(message), [REASON]: problem.code, [PROBLEM]: JSON.stringify(problem) };
}

/**
 * Why a message lies in the queue `dead`: the reason that its worker gave, or that it came back too often without one. `undefined`:
 * it was not put there by either.
 */
export function deadLetterProblem({ properties: { headers } }: Message): JobProblem | undefined {
  const problem = parse(headers?.[PROBLEM]);
  if (isProblem(problem)) return problem;
  const deaths: unknown = headers?.['x-death'];
  const isLimit = Array.isArray(deaths) && deaths.some((death) => death?.reason === 'delivery_limit');
  if (!isLimit) return undefined;
  const message = 'it came back too often without an answer of its worker; the ledger says whether it ran';
  return { code: 'INTERNAL', message, execution: 'unknown', retryable: true, reason: 'delivery-limit', attempts: 0 };
}

function foreignHeaders({ properties: { headers = {} } }: Message): MessagePropertyHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED.test(name)));
}

function wholeNumber(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function parse(value: unknown): unknown {
  try {
    return typeof value === 'string' ? JSON.parse(value) : undefined;
  } catch {
    return undefined;
  }
}
