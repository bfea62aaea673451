// A process that calls a subject: told keys by its parent, it calls for each of them at once, and tells every answer.
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActorJob, Told, Wanted } from './actors.ts';
import type { Answer, OpenSubject } from './subject.ts';
import { SUBJECTS } from './subjects.ts';

const { subject: id, address, effects, holdMs, leaseMs } = JSON.parse(process.argv[2] as string) as ActorJob;

async function effect(key: string): Promise<string> {
  const receipt = randomUUID();
  appendFileSync(effects, `${JSON.stringify({ key, receipt, pid: process.pid })}\n`);
  await sleep(holdMs);
  return receipt;
}

function say(told: Told): void {
  process.send?.(told);
}

async function answer(subject: OpenSubject, key: string): Promise<Answer> {
  return subject.call(key).catch((error: unknown) => ({
    kind: 'refused',
    why: error instanceof Error ? error.name : String(error),
  }));
}

const subject = await SUBJECTS[id]?.open(address, effect, leaseMs);
if (subject === undefined) throw new Error(`there is no subject ${id}`);
process.on('message', (wanted: Wanted) => {
  if (wanted.kind === 'end') {
    void subject.close().finally(() => process.exit(0));
    return;
  }
  for (const key of wanted.keys)
    for (let caller = 0; caller < wanted.callers; caller += 1)
      void answer(subject, key).then((given) => say({ kind: 'answer', key, given }));
});
process.on('disconnect', () => process.exit(0));
say({ kind: 'ready' });
