/** Owns the behaviour of a server that speaks MCP-Tx: it claims an operation before the effect and answers repeats from memory. */
import { openJsonLines, readJsonLines } from '../effect-log/json-lines.ts';
import type { Effect } from '../effect-log.ts';
import type { Answer } from './answer.ts';
import { errorAnswer } from './answer.ts';
import type { ToolCall } from './tool-call.ts';
import { asObject, RELIABILITY_ID } from './tool-call.ts';
import { effectAnswer } from './tools.ts';

type Capabilities = Readonly<Record<'extensions' | 'experimental', Record<string, Record<string, never>>>>;

/** What an aware server announces in its capabilities. */
export const AWARE_CAPABILITIES: Capabilities = {
  extensions: { [RELIABILITY_ID]: {} },
  experimental: { mcp_tx: {} },
};

/** Dedupes calls by the `operationId` of their metadata. */
export interface AwareDesk {
  /** Runs the call if its operation is new, otherwise replays the stored answer; a call without metadata just runs. */
  handle(call: ToolCall, run: () => Promise<Answer>): Promise<Answer>;
  close(): void;
}

interface Stored {
  readonly answer: Answer;
  readonly storedAt: number;
}

interface Operation {
  readonly fingerprint: string;
  /** Missing when the process that claimed it died before it stored an answer. */
  stored?: Promise<Stored>;
}

type Line = { readonly operationId: string } & ({ readonly fingerprint: string } | Stored);

/**
 * Opens the desk. Claims and answers, results and failures alike, are journalled with fsync, so a restarted server
 * knows them; a claim that a dead process left behind is settled by looking into the effect log.
 */
export function openAwareDesk(journal: string, readEffects: () => readonly Effect[]): AwareDesk {
  const operations = readOperations(journal);
  const lines = openJsonLines<Line>(journal);

  const settle = async (operationId: string, done: Effect | undefined, run: () => Promise<Answer>): Promise<Stored> => {
    const stored = { answer: done === undefined ? await run() : effectAnswer(done), storedAt: Date.now() };
    lines.append({ operationId, ...stored });
    return stored;
  };

  return {
    async handle(call, run) {
      const { operationId } = call.reliability;
      if (operationId === undefined) return await run();
      const fingerprint = call.reliability.fingerprint ?? JSON.stringify([call.tool, call.args]);
      const known = operations.get(operationId);
      if (known !== undefined && known.fingerprint !== fingerprint) return conflict();
      if (known?.stored !== undefined) return stamp(call, await known.stored, true);
      if (known === undefined) lines.append({ operationId, fingerprint });
      const done = known && readEffects().find((effect) => effect.operationId === operationId);
      const stored = settle(operationId, done, run);
      operations.set(operationId, { fingerprint, stored });
      return stamp(call, await stored, done !== undefined);
    },
    close: () => lines.close(),
  };
}

function readOperations(journal: string): Map<string, Operation> {
  const operations = new Map<string, Operation>();
  for (const line of readJsonLines<Line>(journal)) {
    if ('fingerprint' in line) operations.set(line.operationId, { fingerprint: line.fingerprint });
    else {
      const claimed = operations.get(line.operationId);
      if (claimed !== undefined) claimed.stored = Promise.resolve({ answer: line.answer, storedAt: line.storedAt });
    }
  }
  return operations;
}

/** Adds the acknowledgement; the answer itself goes out as it was stored. */
function stamp(call: ToolCall, { answer, storedAt }: Stored, duplicate: boolean): Answer {
  const { operationId, requestId, attempt } = call.reliability;
  const about = { v: 1, duplicate, operationId, requestId, attempt, storedAt };
  if ('error' in answer) {
    const entry = { ...about, ack: false, processed: answer.error.code !== -32602, reason: 'failed' };
    return { error: { ...answer.error, data: { ...asObject(answer.error.data), [RELIABILITY_ID]: entry } } };
  }
  const entry = { ...about, ack: true, processed: true };
  return { result: { ...answer.result, _meta: { ...asObject(answer.result._meta), [RELIABILITY_ID]: entry } } };
}

function conflict(): Answer {
  const data = { [RELIABILITY_ID]: { ack: false, processed: false, reason: 'conflict' } };
  return errorAnswer(-32602, 'This operation was claimed with another tool or other arguments', data);
}
