/** Runs one case: starts a server and a host for it, and ends both. */
import { rejects } from 'node:assert/strict';
import { startFaultyHttpServer } from '../faulty-server/launch-http.ts';
import type { HttpCase, HttpHostFixture, HttpHostProfile, HttpWorld } from './fixture.ts';
import { send } from './send.ts';

let count = 0; // names servers apart within a process

/** Runs a case against a host. @throws whatever the case throws; Error when the host lacks what it needs */
export async function runHttpCase(one: HttpCase, fixture: HttpHostFixture): Promise<void> {
  for (const need of one.needs) {
    if (!fixture.can.includes(need)) throw new Error(`the fixture cannot ${need}: let it, or skip { need: '${need}' }`);
  }
  const server = await startFaultyHttpServer(one.server ?? {});
  try {
    count += 1;
    const profile: HttpHostProfile = { ...PROFILE, upstream: server.url, name: `server-${count}`, ...one.profile };
    if (one.refused !== undefined) {
      await rejects(() => fixture.start(profile), one.refused);
      return;
    }
    const host = await fixture.start(profile);
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closing ??= host.close();
      return closing;
    };
    try {
      await one.run(worldOf(host.url, server, close));
    } finally {
      await close();
    }
  } finally {
    await server.close();
  }
}

const PROFILE: Omit<HttpHostProfile, 'upstream' | 'name'> = {
  authenticate: 'tokens',
  timeoutMs: 5_000,
  settleGraceMs: 200,
  tools: ['pay', 'append', 'read_balance', 'slow', 'progress', 'absent'],
};

function worldOf(url: string, server: HttpWorld['server'], close: () => Promise<void>): HttpWorld {
  return {
    url,
    server,
    close,
    send: (path, request) => send(`${url}${path}`, request),
    execute: (tool, args, request = {}) =>
      send(`${url}/execute/${tool}`, { method: 'POST', body: { arguments: args }, ...request }),
    arrivals: () => server.faults().arrivals.length,
    paid: (orderId) => server.effects().filter(({ args }) => args.orderId === orderId).length,
  };
}
