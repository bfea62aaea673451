/** The work of one process, done the ordinary way: a plain SDK client and a retry loop. */
import { join } from 'node:path';
import type { Job, Tell } from '../job.ts';
import { faultPlanOf, lanesOf } from '../job.ts';
import { serverCommand } from '../servers.ts';
import { RawConnection } from './raw-connection.ts';
import { runRetryLoop } from './retry-loop.ts';

/** Does a job, all its lanes at the same time. */
export async function workRaw(job: Job, tell: Tell): Promise<void> {
  const { folder, range, atOnce } = job;
  const work = lanesOf(job).map((lane) => {
    const command = serverCommand(lane.server, folder, faultPlanOf(job, lane));
    return { lane, connection: new RawConnection(command) };
  });
  await Promise.all(work.map(({ connection }) => connection.client()));
  await Promise.all(
    work.map(async ({ lane, connection }) => {
      const { server } = lane;
      const progressPath = join(folder, `progress-${server}-from-${range.from}`);
      await runRetryLoop(lane, connection, atOnce, progressPath, {
        onDone: (done) => tell({ kind: 'done', server, done }),
        onGaveUp: (key) => tell({ kind: 'gave-up', server, key }),
      });
      await connection.close();
    }),
  );
}
