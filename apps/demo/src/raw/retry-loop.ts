/** The ordinary way: call; on any trouble connect anew and try again, three times in all; then log it and go on with the next. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ATTEMPT_TIMEOUT_MS, MAX_ATTEMPTS } from '../settings.ts';
import type { Lane, Operation } from '../work/lane.ts';
import type { RawConnection } from './raw-connection.ts';

const PAUSE_MS = 50;

/** What the loop tells. */
export interface RawEvents {
  onDone(done: number): void;
  onGaveUp(key: string): void;
}

/** Does the work in batches. After each one it notes in `progressPath` how far it is, and starts from there the next time. */
export async function runRetryLoop(
  lane: Lane,
  connection: RawConnection,
  atOnce: number,
  progressPath: string,
  events: RawEvents,
): Promise<void> {
  const { operations } = lane;
  let done = existsSync(progressPath) ? Number(readFileSync(progressPath, 'utf8')) : 0;
  for (let next = done; next < operations.length; next += atOnce) {
    const batch = operations.slice(next, next + atOnce);
    const one = async (operation: Operation): Promise<void> => {
      if (!(await callWithRetries(connection, lane.tool, operation))) events.onGaveUp(operation.key);
      done += 1;
      events.onDone(done);
    };
    await Promise.all(batch.map(one));
    saveProgress(progressPath, next + batch.length);
  }
}

/** Renamed into place: whoever is killed here leaves the old number or the new one, never half a file. */
function saveProgress(path: string, done: number): void {
  writeFileSync(`${path}.new`, String(done));
  renameSync(`${path}.new`, path);
}

/** Whether the server said in the end that it did it. */
async function callWithRetries(connection: RawConnection, tool: string, operation: Operation): Promise<boolean> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const client = connection.client();
    try {
      const params = { name: tool, arguments: { ...operation.arguments } };
      const result = await (await client).callTool(params, undefined, { timeout: ATTEMPT_TIMEOUT_MS });
      if (result.isError !== true) return true;
    } catch {
      await connection.drop(client);
    }
    await sleep(PAUSE_MS);
  }
  return false;
}
