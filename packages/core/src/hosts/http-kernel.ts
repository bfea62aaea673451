/** The HTTP API over plain values: routes below a mount, problems for everything that goes wrong, and a drain. */
import type { Timer } from '../runtime/clock.ts';
import type { EntranceSettings } from './access.ts';
import { authenticateCaller, callerOf, checkEntrance } from './access.ts';
import { describeApi } from './describe-api.ts';
import type { Desk } from './execute-tool.ts';
import { executeTool } from './execute-tool.ts';
import { HealthProbe } from './health-probe.ts';
import { HttpError } from './http-error.ts';
import type { KernelRequest, KernelResponse } from './http-message.ts';
import { jsonResponse } from './json-response.ts';
import type { HttpKernelOptions, KernelSettings, Principal } from './kernel-options.ts';
import { kernelSettings } from './kernel-options.ts';
import { problemResponse } from './problem.ts';
import { RateLimiter } from './rate-limit.ts';
import { listOperations, readOperation } from './read-operations.ts';

/** How to come to an end. */
export interface KernelDrainOptions {
  /** How long requests are still taken, for load balancers to notice that `readyz` says no, ms. Default 0. */
  readonly beforeCloseMs?: number;
  /** How long to wait then for requests under way, ms. Default 15,000. */
  readonly graceMs?: number;
}

/** Answers requests of HTTP hosts. Made by {@link createHttpKernel}. */
export interface HttpKernel<Host = unknown> {
  /** Answers a request. Never rejects. */
  handle(request: KernelRequest<Host>): Promise<KernelResponse>;
  /** The answer to an error of the host's own, in the same form. */
  problem(error: unknown, request?: Pick<KernelRequest<Host>, 'mount'>): KernelResponse;
  /** Requests under way. */
  readonly inFlight: number;
  readonly isDraining: boolean;
  /** Takes no more calls, and waits for those under way. Repeated calls give the same promise. */
  drain(options?: KernelDrainOptions): Promise<void>;
}

/** Makes a kernel. Nothing is connected before the first request. @throws McpTxError `CONFIG_INVALID` */
export function createHttpKernel<Host = unknown>(options: HttpKernelOptions<Host>): HttpKernel<Host> {
  return new Kernel(kernelSettings(options));
}

class Kernel<Host> implements HttpKernel<Host> {
  readonly #settings: KernelSettings<Host>;
  readonly #entrance: EntranceSettings;
  readonly #health: HealthProbe;
  readonly #rate: RateLimiter | undefined;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  #draining: Promise<void> | undefined;
  #refuses = false;

  constructor(settings: KernelSettings<Host>) {
    this.#settings = settings;
    const { hosts, origins, authenticate, rate } = settings.options;
    this.#entrance = { hosts: hosts ?? (authenticate === 'single-tenant' ? 'loopback' : '*'), origins };
    this.#rate = rate && new RateLimiter(rate, settings.clock);
    this.#health = new HealthProbe(settings.client, settings.clock);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get isDraining(): boolean {
    return this.#draining !== undefined;
  }

  async handle(request: KernelRequest<Host>): Promise<KernelResponse> {
    this.#inFlight += 1;
    try {
      return this.#leaving(await this.#route(request));
    } catch (error) {
      return this.#leaving(this.#answerTo(error, request));
    } finally {
      this.#left();
    }
  }

  problem(error: unknown, request: Pick<KernelRequest<Host>, 'mount'> = {}): KernelResponse {
    const { problemBase, clock } = this.#settings;
    return problemResponse(error, { base: problemBase, mount: request.mount, now: clock.now() });
  }

  drain(options: KernelDrainOptions = {}): Promise<void> {
    this.#draining ??= this.#drain(options);
    return this.#draining;
  }

  #route(request: KernelRequest<Host>): KernelResponse | Promise<KernelResponse> {
    const { method } = request;
    const [first, second, ...more] = segmentsOf(request.path);
    if (first === undefined || more.length > 0) throw new HttpError('NOT_FOUND');
    if (second === undefined && first === 'livez') return only(method, READ, () => jsonResponse(200, { status: 'ok' }));
    if (second === undefined && first === 'readyz')
      return only(method, READ, () => this.#health.answer(this.isDraining));
    if (second !== undefined && first === 'execute')
      return only(method, ['POST'], () => {
        const principal = this.#enter(request);
        if (principal === undefined) return this.#execute(request, undefined, second);
        return principal.then((known) => this.#execute(request, known, second));
      });
    if (second === undefined && first === 'openapi.json' && (this.#settings.options.openapi ?? false) !== false)
      return only(method, READ, async () => describeApi(this.#settings, request, await this.#enter(request)));
    if (first === 'operations')
      return only(method, READ, async () => {
        const principal = await this.#enter(request);
        if (second === undefined) return listOperations(this.#settings, principal, request);
        return readOperation(this.#settings, principal, second);
      });
    throw new HttpError('NOT_FOUND');
  }

  #execute(request: KernelRequest<Host>, principal: Principal | undefined, tool: string): Promise<KernelResponse> {
    this.#rate?.take(principal?.scope ?? '');
    return executeTool(this.#settings, request, principal, tool, this.#desk(request));
  }

  #answerTo(error: unknown, request: KernelRequest<Host>): KernelResponse {
    const answer = this.problem(error, request);
    if (answer.status >= 500) this.#tell(error, request);
    return answer;
  }

  #left(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  #desk(request: KernelRequest<Host>): Desk {
    return {
      answerTo: (error) => this.#answerTo(error, request),
      track: (call) => {
        this.#inFlight += 1;
        const left = (): void => this.#left();
        call.then(left, left);
      },
    };
  }

  /** Who asks, if this request may come in at all. */
  #enter(request: KernelRequest<Host>): undefined | Promise<Principal> {
    const { authenticate, challenge } = this.#settings.options;
    const caller = callerOf(request);
    checkEntrance(caller, this.#entrance);
    if (this.#refuses) throw new HttpError('DRAINING');
    return authenticateCaller(authenticate, caller, challenge);
  }

  /** While the server goes away, no connection is kept. */
  #leaving(response: KernelResponse): KernelResponse {
    if (!this.isDraining) return response;
    return { ...response, headers: { ...response.headers, connection: 'close' } };
  }

  #tell(error: unknown, request: KernelRequest<Host>): void {
    try {
      this.#settings.options.onError?.(error, callerOf(request));
    } catch {
      // The answer does not depend on who listens.
    }
  }

  async #drain({ beforeCloseMs = 0, graceMs = 15_000 }: KernelDrainOptions): Promise<void> {
    if (beforeCloseMs > 0) await this.#pause(beforeCloseMs, () => undefined);
    this.#refuses = true;
    if (this.#inFlight === 0) return;
    await this.#pause(graceMs, (end) => {
      this.#onIdle = end;
    });
  }

  #pause(ms: number, onStart: (end: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const timer: Timer = this.#settings.clock.timer(ms, () => resolve());
      onStart(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

const READ = ['GET', 'HEAD'] as const;

/** @throws HttpError `METHOD_NOT_ALLOWED` */
function only(
  method: string,
  allowed: readonly string[],
  answer: () => KernelResponse | Promise<KernelResponse>,
): KernelResponse | Promise<KernelResponse> {
  if (!allowed.includes(method))
    throw new HttpError('METHOD_NOT_ALLOWED', undefined, { headers: { allow: allowed.join(', ') } });
  return answer();
}

/** @throws HttpError `NOT_FOUND` for an empty segment; `REQUEST_INVALID` for percent-encoding that means nothing */
function segmentsOf(path: string): readonly string[] {
  const parts = (path.startsWith('/') ? path.slice(1) : path).split('/');
  if (parts.includes('')) throw new HttpError('NOT_FOUND');
  if (!path.includes('%')) return parts;
  try {
    return parts.map((part) => decodeURIComponent(part));
  } catch (error) {
    if (error instanceof URIError) throw new HttpError('REQUEST_INVALID', 'the path is not percent-encoded UTF-8');
    throw error;
  }
}
