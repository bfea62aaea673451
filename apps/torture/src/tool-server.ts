// The tool server of a run: it writes down what really happened, and recognises repeats or not.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Effect } from '@mcp-tx/testing/faulty-server';
import { faultyStdio, readEffectLog } from '@mcp-tx/testing/faulty-server';

/** Whether the tool server recognises repeats. */
export type ServerKind = 'plain' | 'aware';

/** The tool server, and what it says really happened. */
export interface Tools {
  readonly start: Pick<ReturnType<typeof faultyStdio>, 'command' | 'args' | 'env'>;
  effects(): readonly Effect[];
}

export function toolsOf(server: ServerKind, folder: string): Tools {
  const effectLog = join(folder, 'effects.jsonl');
  if (server === 'plain') {
    const script = [{ tool: 'pay', at: 'all', fault: { kind: 'delay', ms: 4, when: 'after' } }] as const;
    const faulty = faultyStdio({ effectLog, script });
    const { command, args, env } = faulty;
    return { start: { command, args, env }, effects: () => faulty.effects() };
  }
  const script = fileURLToPath(new URL('./aware-server.ts', import.meta.url));
  const args = [...process.execArgv, script, effectLog, join(folder, 'operations.db')];
  return { start: { command: process.execPath, args, env: {} }, effects: () => readEffectLog(effectLog) };
}
