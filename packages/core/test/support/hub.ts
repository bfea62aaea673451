/** A hub over scripted servers on a virtual clock, with short times. */
import type { Hub, HubOptions, HubServerOptions, VirtualClock } from '../../src/index.ts';
import { createHub, virtualClock } from '../../src/index.ts';
import { ScriptedServer } from './scripted-connection.ts';

/** Everything a test holds. */
export interface HubWorld {
  readonly hub: Hub;
  readonly clock: VirtualClock;
  readonly server: (name: string) => ScriptedServer;
}

/** 1,000 ms of deadline, 500 ms of grace, 3 sends without jitter: 10, 20, … ms apart. */
export const quick = {
  timeoutMs: 1_000,
  settleGraceMs: 500,
  quietMs: 100,
  leaseMs: 3_000,
  sweepIntervalMs: 0,
  retry: { baseDelayMs: 10, maxDelayMs: 100, jitter: 'none' },
} as const;

/** A hub of these servers. */
export function hubOf(
  servers: Readonly<Record<string, ScriptedServer | readonly [ScriptedServer, Omit<HubServerOptions, 'server'>]>>,
  options: Partial<HubOptions> = {},
): HubWorld {
  const clock = (options.clock as VirtualClock | undefined) ?? virtualClock();
  const all = new Map<string, ScriptedServer>();
  const members = Object.entries(servers).map(([name, said]) => {
    const [server, more] = said instanceof ScriptedServer ? [said, {}] : said;
    all.set(name, server);
    return [name, { server: server.source, ...more }] as const;
  });
  const hub = createHub({ clock, ...quick, servers: Object.fromEntries(members), ...options });
  return { hub, clock, server: (name) => all.get(name) as ScriptedServer };
}
