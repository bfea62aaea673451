// Kills the server behind a store in the middle of a run, and starts it again, over and over.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '@mcp-tx/testing/services';

/** Under way until stopped. */
export interface StoreKiller {
  /** Ends the killing; the server is up then. Tells how often it was killed. */
  stop(): Promise<number>;
}

/** Kills up to `kills` times, `everyMs` apart on average. */
export function killStore(service: Service, kills: number, everyMs: number, random: () => number): StoreKiller {
  const stopped = new AbortController();
  const run = async (): Promise<number> => {
    let done = 0;
    while (done < kills) {
      await sleep(everyMs * (0.5 + random()), undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) break;
      await killOnce(service, random);
      done += 1;
    }
    return done;
  };
  const running = run();
  return {
    stop() {
      stopped.abort();
      return running;
    },
  };
}

/** Kills the server once and starts it again. */
export async function killOnce(service: Service, random: () => number): Promise<boolean> {
  await service.kill();
  await sleep(200 * random());
  await service.restart();
  return true;
}
