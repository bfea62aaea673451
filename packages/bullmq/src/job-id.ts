/** Names the jobs of a queue: equal keys of one scope have one job, and no key can be anything but a key. */
import { hash } from 'node:crypto';

/** Id of the job of a key. It has no colon and is no number, which BullMQ would refuse or read otherwise. */
export function jobIdOf(scope: string | undefined, key: string): string {
  const parts = scope === undefined ? [key] : [scope, key];
  const text = parts.map((part) => `${part.length}:${part}`).join('');
  return `tx-${hash('sha256', text, 'base64url')}`;
}

/** A key for a job that names none: the same for each of its runs. Numbers of BullMQ's own begin anew with the queue, so they are not enough. */
export function keyOfJob(queue: string, id: string, timestamp: number): string {
  const isTick = id.startsWith('repeat:');
  return `bullmq:${hash('sha256', `${queue}:${id}:${isTick ? '' : timestamp}`, 'base64url')}`;
}
