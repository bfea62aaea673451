/** How a job that is refused is told, wherever that happens. */
import type { JobReply } from '@mcp-tx/core/job';
import type { RunningJobHost } from './fixture.ts';

/** The end of a call. Some queues refuse it where it is put in: that is its end, too. */
export async function endOfCall(
  host: RunningJobHost,
  ...call: Parameters<RunningJobHost['enqueue']>
): Promise<JobReply> {
  return host.enqueue(...call).then(
    (ticket) => host.endOf(ticket),
    (error: { readonly code: string }): JobReply => ({ v: 1, ok: false, problem: error as never }),
  );
}

/** Of its problem; `undefined` where there is none. */
export function codeOf(reply: JobReply): string | undefined {
  return reply.ok ? undefined : reply.problem.code;
}
