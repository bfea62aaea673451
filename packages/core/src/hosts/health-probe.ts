/** Answers `readyz`: asks the server for a sign of life, once for all who ask within a second. */
import type { Clock } from '../runtime/clock.ts';
import type { HealthView } from './api-types.ts';
import type { KernelResponse } from './http-message.ts';
import { jsonResponse } from './json-response.ts';
import type { lazyClient } from './lazy-client.ts';

const KEPT_MS = 1_000;

/** Whether requests should come here. */
export class HealthProbe {
  readonly #client: ReturnType<typeof lazyClient>;
  readonly #clock: Clock;
  #asked: Promise<HealthView['status']> | undefined;
  #askedAt = 0;

  constructor(client: ReturnType<typeof lazyClient>, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** 200 when calls go through, be it not all of them; else 503. */
  async answer(isDraining: boolean): Promise<KernelResponse> {
    const status = isDraining ? 'draining' : await this.#status();
    const view: HealthView = { status };
    return jsonResponse(status === 'ok' || status === 'degraded' ? 200 : 503, view);
  }

  #status(): Promise<HealthView['status']> {
    const now = this.#clock.monotonic();
    if (this.#asked === undefined || now - this.#askedAt >= KEPT_MS) {
      this.#askedAt = now;
      this.#asked = this.#ask();
    }
    return this.#asked;
  }

  async #ask(): Promise<HealthView['status']> {
    try {
      return (await (await this.#client()).health({ check: true })).status;
    } catch {
      return 'down'; // it could not even be made
    }
  }
}
