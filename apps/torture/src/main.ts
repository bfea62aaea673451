// torture: kill -9 of workers in the middle of calls, over a real ledger, with the effects counted by the tool server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteLedger } from '@mcp-tx/sql/sqlite';
import { faultyStdio } from '@mcp-tx/testing/faulty-server';
import type { MeasureContext } from 'measure';
import { runMeasured, seededRandom } from 'measure';
import { count } from './count.ts';
import { killWorkers } from './kill-workers.ts';

interface Flags {
  readonly kills: number;
  readonly operations: number;
  readonly concurrency: number;
}

await runMeasured({
  command: 'torture',
  about: 'kills workers in the middle of calls and counts what really happened',
  flags: {
    ledger: { kind: 'choice', says: 'where operations are recorded', default: 'sqlite', choices: ['sqlite'] },
    kills: { kind: 'integer', says: 'workers to kill', default: 40, min: 1, max: 100_000 },
    operations: { kind: 'integer', says: 'operations in all', default: 1_000, min: 1, max: 10_000_000 },
    concurrency: { kind: 'integer', says: 'calls under way at once in a worker', default: 8, min: 1, max: 64 },
  },
  run,
});

async function run(context: MeasureContext<Flags>): Promise<void> {
  const { kills, operations, concurrency } = context.flags;
  const folder = mkdtempSync(join(tmpdir(), 'mcp-tx-torture-'));
  try {
    const ledgerFile = join(folder, 'ledger.db');
    const script = [{ tool: 'pay', at: 'all', fault: { kind: 'delay', ms: 4, when: 'after' } }] as const;
    const server = faultyStdio({ effectLog: join(folder, 'effects.jsonl'), script });
    const { command, args, env } = server;
    context.planFault('kill -9');
    const onProgress = (done: number): void => context.progress(done, kills, 'workers killed');
    const plan = { kills, random: seededRandom(context.seed), onProgress, signal: context.signal };
    const report = await killWorkers({ ledgerFile, server: { command, args, env }, operations, concurrency }, plan);
    context.fault('kill -9', report.kills);
    const ledger = sqliteLedger(ledgerFile);
    const tally = await count(ledger, server.effects(), operations);
    const listed = (await ledger.list({ states: ['in_doubt'], limit: 1_000 })).records.length;
    await ledger.close();
    for (const [id, value] of Object.entries({ kills: report.kills, operations, ...tally, inDoubtListed: listed }))
      context.figure(id, value);
    judge(context, { ...tally, kills: report.kills, listed });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judge(
  context: MeasureContext<Flags>,
  seen: Awaited<ReturnType<typeof count>> & { readonly kills: number; readonly listed: number },
): void {
  const { flags } = context;
  const must = (id: string, holds: boolean, says: string): void => {
    if (!holds) context.violation(id, says);
  };
  must('duplicates', seen.duplicates === 0, `${seen.duplicates} effects happened more than once`);
  must('lost', seen.lost === 0, `${seen.lost} operations are nowhere`);
  must('unfinished', seen.unfinished === 0, `${seen.unfinished} operations were left half-way`);
  must('honest', seen.completedWithoutEffect === 0, `${seen.completedWithoutEffect} answers contradict the effects`);
  must(
    'sum',
    seen.completed + seen.failed + seen.inDoubt === flags.operations,
    'completed, failed and in doubt do not add up',
  );
  must(
    'effects',
    seen.effects === seen.completed + seen.inDoubtThatRan,
    'effects are not completed plus in doubt that ran',
  );
  must(
    'inDoubt',
    seen.inDoubt <= seen.kills * flags.concurrency,
    `${seen.inDoubt} are in doubt, more than were under way at the kills`,
  );
  must(
    'listed',
    seen.listed === Math.min(seen.inDoubt, 1_000),
    `${seen.listed} of ${seen.inDoubt} in doubt are listed`,
  );
  must('kills', seen.kills === flags.kills, `${seen.kills} of ${flags.kills} workers were killed`);
}
