/** Says in one report how all servers of a hub stand. */
import type { Health } from '../session/health.ts';
import type { Member } from './member.ts';

/** How one server of a hub stands. */
export interface HubServerHealth extends Health {
  /** Names of tools that are held back, because their definition has changed. */
  readonly changedTools: readonly string[];
}

/** How a hub stands: `ok` when every server does, `down` when every server is, `degraded` in between. Plain JSON. */
export interface HubHealth {
  readonly status: Health['status'];
  readonly servers: Readonly<Record<string, HubServerHealth>>;
}

/** Collects it. `check` asks every server for a sign of life. Never throws. */
export async function hubHealth(members: readonly Member[], isClosing: boolean, check: boolean): Promise<HubHealth> {
  const all = await Promise.all(
    members.map(async ({ name, tx, pins }): Promise<readonly [string, HubServerHealth]> => {
      const health = await tx.health({ check });
      return [name, { ...health, changedTools: pins.changed.map(({ tool }) => tool) }];
    }),
  );
  const states = all.map(([, { status }]) => status);
  return { status: isClosing ? 'draining' : together(states), servers: Object.fromEntries(all) };
}

function together(states: readonly Health['status'][]): Health['status'] {
  if (states.every((status) => status === 'ok')) return 'ok';
  return states.every((status) => status === 'down') ? 'down' : 'degraded';
}
