/** Runs one case: starts a server, an instance and a host for it, and ends all three. */
import { createMcpTx } from '@mcp-tx/core';
import type { JobEnd } from '@mcp-tx/core/job';
import { http } from '@mcp-tx/core/sdk-v1';
import { startFaultyHttpServer } from '../faulty-server/launch-http.ts';
import type { JobCase, JobHostFixture, JobHostSetup } from './fixture.ts';

let count = 0; // names servers apart within a process

const SETUP: Omit<JobHostSetup, 'client' | 'onEnd'> = {
  tools: ['pay', 'append', 'read_balance', 'slow', 'absent'],
  concurrency: 4,
  graceMs: 2_000,
  retryLater: { baseDelayMs: 50, maxDelayMs: 100, jitter: 'none' },
};

/** Runs a case against a host. @throws whatever the case throws; Error when the host lacks what it needs */
export async function runJobCase(one: JobCase, fixture: JobHostFixture): Promise<void> {
  for (const need of one.needs) {
    if (!fixture.can.includes(need)) throw new Error(`the fixture cannot ${need}: let it, or skip { need: '${need}' }`);
  }
  count += 1;
  let server = await startFaultyHttpServer(one.server ?? {});
  const { port, effectLog } = server;
  const client = createMcpTx({
    server: http({ url: server.url }),
    name: `server-${count}`,
    timeoutMs: 5_000,
    settleGraceMs: 200,
    retry: { maxAttempts: 5, baseDelayMs: 10, maxDelayMs: 50 },
    tools: { read_balance: { readOnly: true } },
    ...one.instance,
  });
  const ends: JobEnd[] = [];
  const paid = (orderId: string): number => server.effects().filter(({ args }) => args.orderId === orderId).length;
  try {
    const host = await fixture.start({ ...SETUP, client, onEnd: (end) => void ends.push(end), ...one.setup });
    try {
      await one.run({
        ...{ host, client, ends, paid },
        server: () => server,
        serverDown: () => server.close(),
        async serverUp() {
          server = await startFaultyHttpServer({ ...one.server, port, effectLog });
        },
        arrivals: () => server.faults().arrivals.length,
      });
    } finally {
      await host.close();
    }
  } finally {
    await client.close({ graceMs: 0 });
    await server.close();
  }
}
