// Cuts the last writes off Redis' file under a worker that has seen them: it must stop, and send nothing more.
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { countEffects } from '@mcp-tx/testing/faulty-server';
import type { Service } from '@mcp-tx/testing/services';
import { killWorkers } from './kill-workers.ts';
import { startStore } from './store.ts';
import type { ServerKind } from './tool-server.ts';
import { toolsOf } from './tool-server.ts';
import { orderOf } from './work.ts';

/** What one worker did that saw its store lose writes. */
export interface LossReport {
  /** Operations that were refused because of the loss. */
  readonly refused: number;
  /** Effects after the loss. */
  readonly effectsAfter: number;
  readonly duplicates: number;
  /** Operations that the worker was told no end of. */
  readonly unanswered: number;
}

const OPERATIONS = 300;
const CUT_BYTES = 1_000;
/** What left the worker before the store was killed has arrived when nothing has come for so long, ms. */
const SETTLE_MS = 300;

/** One round, with a store and a tool server of its own. */
export async function loseWrites(
  folder: string,
  server: ServerKind,
  random: () => number,
  signal: AbortSignal,
): Promise<LossReport> {
  const store = await startStore('redis', folder);
  const service = store.service as Service;
  try {
    const tools = toolsOf(server, folder);
    const cutAt = Math.round(OPERATIONS * (0.2 + random() * 0.5));
    let answered = 0;
    let cutting: Promise<number> | undefined;
    const cut = async (): Promise<number> => {
      await service.kill();
      const before = await settled(() => tools.effects().length);
      cutTail(service.folder);
      await service.restart();
      return before;
    };
    const job = { store: store.address, server: tools.start, operations: OPERATIONS, concurrency: 8 };
    const { errors } = await killWorkers(job, {
      ...{ kills: 0, pauses: 0, random, signal },
      onProgress: () => undefined,
      onRefused: () => undefined,
      onAnswered(count) {
        answered = count;
        if (count >= cutAt) cutting ??= cut();
      },
    });
    const before = (await cutting) ?? 0;
    const perOrder = countEffects(tools.effects(), 'orderId');
    const counts = Array.from({ length: OPERATIONS }, (_, n) => perOrder.get(orderOf(n)) ?? 0);
    return {
      refused: errors.LEDGER_CORRUPT ?? 0,
      effectsAfter: tools.effects().length - before,
      duplicates: counts.reduce((sum, count) => sum + Math.max(0, count - 1), 0),
      unanswered: OPERATIONS - answered,
    };
  } finally {
    await service.stop();
  }
}

/** A number, once it stays as it is: without its store a worker sends nothing, so it does. */
async function settled(count: () => number): Promise<number> {
  for (;;) {
    const before = count();
    await sleep(SETTLE_MS);
    if (count() === before) return before;
  }
}

function cutTail(folder: string): void {
  const files = join(folder, 'appendonlydir');
  const path = join(files, readdirSync(files).find((file) => file.endsWith('.incr.aof')) ?? '');
  truncateSync(path, statSync(path).size - CUT_BYTES);
}
